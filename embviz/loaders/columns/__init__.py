"""Columns of tables that people write: which are a vector's dimensions, and which are not."""
