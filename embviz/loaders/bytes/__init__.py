"""Containers and messages that several formats are made of."""
