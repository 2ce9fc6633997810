"""How the training rows of a task are dealt to clients, one partition a file."""
