"""Neighbor indexes as sources."""
