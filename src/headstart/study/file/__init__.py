"""What a study file says: its keys, its YAML text, what it trains, the rates of its runs."""
