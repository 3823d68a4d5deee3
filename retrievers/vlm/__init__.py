"""Vision language models as retrievers: a prompt in, a text out, whatever runs the model."""
