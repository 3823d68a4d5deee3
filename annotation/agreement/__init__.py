"""How far annotators agree: over the sets that answer a query, over single messages, and over whole partitions."""
