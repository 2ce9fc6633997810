"""The report: reads the tables of a study, judges them, draws them. Never imports torch."""
