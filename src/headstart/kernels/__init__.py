"""Tensor programs that know nothing of federated learning."""
