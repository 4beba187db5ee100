"""Labels and other columns of points."""
