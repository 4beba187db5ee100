"""Tables of text: TSV, CSV, word2vec and GloVe."""
