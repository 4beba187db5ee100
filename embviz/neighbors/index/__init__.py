"""The neighbor index on disk."""
