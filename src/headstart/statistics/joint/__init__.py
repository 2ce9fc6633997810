"""What a whole study decides: bounds on all its pairs, and over all its looks, that hold together.

One chance to err is shared by everything that a study says. The other modules of `statistics` judge
one difference, one order or one share by itself.
"""
