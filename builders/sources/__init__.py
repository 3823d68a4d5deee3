"""Readers of source dialogues, one a file; each yields `SourceDialogue`s and says what it could not use."""
