"""Files of weights that somebody else wrote: read, named as the model names them, and fitted to
it.
"""
