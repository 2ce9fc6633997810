"""The study of "Where to Begin?" (arXiv 2206.15387): its nine findings, its tasks, and its study
files.
"""
