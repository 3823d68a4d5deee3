"""Readers of chat exports: one module a format, named by its structure, each yielding the neutral chat."""
