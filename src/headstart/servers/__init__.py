"""Server optimizers: what the server makes of the pseudo-gradient. One method a file."""
