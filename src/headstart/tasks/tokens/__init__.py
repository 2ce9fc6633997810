"""What text is cut into: one kind of token a file."""
