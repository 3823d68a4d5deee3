"""Asking everybody what one annotator asked: the same queries, without that annotator's answers."""

from __future__ import annotations

from collections import Counter

from mldr.annotation.collection import Collection
from mldr.annotation.labels import Asked, as_line, query_name, read_asked, read_labels
from mldr.annotation.store import append_line
from mldr.errors import MldrError
from mldr.files import sha256_text


def ask_of(collection: Collection, annotator: str) -> Counter[str]:
    """Put an annotator's finished queries on the list that everybody is asked; return what was done.

    Negatives go too: nothing about its answer can be told from the list, its order included, which is that of a hash.

    Raises:
        MldrError: if the annotator labelled nothing.
    """
    if annotator not in collection.annotators():
        raise MldrError(
            f"no labels of {annotator}; there are those of {', '.join(collection.annotators()) or 'nobody'}"
        )
    done: Counter[str] = Counter()
    for dialogue_id in collection.ids():
        path = collection.queries(dialogue_id)
        known = {query.text.strip() for query in read_asked(path)}
        language = collection.read(dialogue_id).dialogue.language
        own = read_labels(collection.labels(annotator, dialogue_id)).fragments.values()
        for put in sorted(own, key=lambda put: sha256_text(put.query.strip())):
            text = put.query.strip()
            if not text or not (put.negative or put.utterance_ids or put.image_ids):
                done["unfinished, not asked"] += 1
            elif text in known:
                done["asked before"] += 1
            else:
                known.add(text)
                append_line(path, as_line(Asked(name=query_name(text), text=text, language=language, origin=annotator)))
                done["asked"] += 1
    return done
