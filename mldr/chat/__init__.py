"""Talking to a language model: the only place of mldr that calls one."""
