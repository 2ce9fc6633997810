"""What a study recommends: where to begin, with what, how sure, at what cost and why."""
