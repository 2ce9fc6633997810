"""Models: one network a file, as plain modules; `network` makes a function of a module's
parameters.
"""
