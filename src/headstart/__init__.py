"""Headstart: where should federated training begin, and with which pair of optimizers?"""

__version__ = "0.1.0"
