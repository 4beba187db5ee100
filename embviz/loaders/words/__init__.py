"""Vectors of words: word2vec's binary files and fastText's models."""
