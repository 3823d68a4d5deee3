"""The dataset card: what the Hub reads in its YAML, and what a person must know, in words and numbers."""

from mldr.card.again import recomposed
from mldr.card.audit import record_audit
from mldr.card.compose import compose
from mldr.card.markdown import bullets, plain, table
from mldr.card.sources import Holdings, held

__all__ = ["Holdings", "bullets", "compose", "held", "plain", "recomposed", "record_audit", "table"]
