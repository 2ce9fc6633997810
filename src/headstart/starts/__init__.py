"""Starts: where the weights come from. One kind a file."""
