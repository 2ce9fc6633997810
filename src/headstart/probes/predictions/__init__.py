"""What the model makes of test rows, by row and by client."""
