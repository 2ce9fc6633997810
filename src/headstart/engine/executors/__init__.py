"""Executors: how the clients of a cohort are computed. One a file; all equal `loop`."""
