"""What is done to a torch module before it serves as a network: it is built, refused or changed."""
