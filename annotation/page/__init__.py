"""The local page itself: one shell, a style sheet, plain ES modules, and every word of it in English and Chinese."""
