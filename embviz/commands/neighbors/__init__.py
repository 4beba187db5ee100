"""The command neighbors."""
