"""A recipe as an app of Flower, by its Message API. It alone imports `flwr`, the extra `flower`."""
