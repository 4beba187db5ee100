"""The weights of models."""
