"""A retriever in twenty lines: utterances that share a word with the query, and the images that they carry."""

from mldr.retrievers import Prediction


class SharedWords:
    """Returns what shares at least `shared` words with the query."""

    sees = ("text",)

    def __init__(self, shared: int = 1) -> None:
        self.shared = shared

    def retrieve(self, view, asks):
        """Yield a prediction for each query of one dialogue."""
        words = [set(utterance.text.lower().split()) for utterance in view.utterances]
        for ask in asks:
            wanted = set(ask.text.lower().split())
            found = [i for i, own in enumerate(words) if len(own & wanted) >= self.shared]
            carried = [image for i in found for image in view.utterances[i].image_ids]
            yield Prediction(ask.query_id, tuple(found), tuple(carried))
