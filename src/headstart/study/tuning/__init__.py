"""Tuning: searches, their trials, and the best rates of what was tried."""
