"""The one place that states mldr's version."""

__version__ = "0.1.0"
