"""The report of a study: from the tables of its folder to pages that a person can act on. Never
imports torch.
"""
