"""How things are written: characters of others, numbers of epochs, several things in a sentence."""
