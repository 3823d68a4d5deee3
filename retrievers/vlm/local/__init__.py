"""Vision language models that run here, through transformers: loading, encoding, and decoding with a shared prefix."""
