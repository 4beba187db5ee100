"""NumPy's files, and images as arrays."""
