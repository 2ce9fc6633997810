"""The engine: a round as data (`plan`), how a cohort is computed (`executors`), and the rounds of a
run.
"""
