"""What the tables of a study support: paired differences, orders, and how sure either is.

Every comparison is **paired by seed**: runs of one seed share clients, batches and order, so that
their difference carries less noise than either. Values are given as `BySeed`, a mapping from seed
to value; only seeds that both sides have are compared. Pure functions; a generator is an argument.
"""
