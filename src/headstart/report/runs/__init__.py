"""The runs of a study: read from its tables, sorted into cells, and how its pairs stand."""
