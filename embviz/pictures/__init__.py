"""Which points are shown, how they are projected, and how faithfully."""
