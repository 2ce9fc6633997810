"""When a study is looked at, and what it has decided then."""
