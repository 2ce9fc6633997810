"""What stands below the panels, a subject a module: its table and its sentences."""
