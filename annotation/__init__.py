"""Annotation: real chats, with everybody's consent, to a test set that may be shared."""
