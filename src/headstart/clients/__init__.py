"""Client optimizers: what a client does with the model between two messages. One method a file."""
