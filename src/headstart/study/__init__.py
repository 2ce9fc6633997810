"""Studies: a grid of runs from a file, carried out, resumed, and gathered into tables."""
