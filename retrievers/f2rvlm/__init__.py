"""F2RVLM, the generative retriever of the papers: its rewards, its curriculum, its training, and the retriever itself."""
