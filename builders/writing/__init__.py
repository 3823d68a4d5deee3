"""The steps of a build that a language model does: stitch, tag, queries, verify. Asking is one thing, using the answers another."""
