"""How a part is named, written, given, looked up and checked: the registry, and what it stands
on.
"""
