"""Rows of many files, seen block by block by many workers: what does not fit one machine."""
