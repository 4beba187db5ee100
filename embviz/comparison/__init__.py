"""What changed between states of the same points: which match, what is near what, what moved."""
