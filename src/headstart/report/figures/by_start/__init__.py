"""Rows by start: a mark a seed, or a mark with its interval."""
