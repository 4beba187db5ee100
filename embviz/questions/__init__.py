"""Questions to the neighbors of points, and their answers."""
