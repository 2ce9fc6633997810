"""Probes: what is measured during a run. One a file."""
