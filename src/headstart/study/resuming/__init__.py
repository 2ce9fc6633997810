"""Going on: what a run under way has in its folder, the shorter run that it goes on from, and how
studies differ.
"""
