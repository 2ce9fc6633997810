"""What a study says: the findings, the verdict, what follows from it, and what limits it."""
