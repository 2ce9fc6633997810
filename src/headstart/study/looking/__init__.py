"""How a study runs from look to look."""
