"""Numbers that are read off the runs of a study, without a judgement."""
