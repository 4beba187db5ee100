"""The command `embviz compare`."""
