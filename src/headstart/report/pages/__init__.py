"""What the report writes, and that it touches nothing else."""
