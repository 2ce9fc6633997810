"""A study's results in Python: its tables, its verdict, its best pair, its figures."""
