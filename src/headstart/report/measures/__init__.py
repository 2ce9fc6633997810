"""Numbers that answer questions, without words."""
