"""Tasks for other people's harnesses (inspect_ai, lmms-eval), with mldr's own prompt, answer grammar and measures.

The harness runs the model; what the model is shown and what its answer is worth come from here, so that a score is the one that
`mldr-eval` gives on the same answers.
"""
