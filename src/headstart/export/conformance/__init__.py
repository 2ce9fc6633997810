"""Whether an app trains as the study's simulation did: round by round, and where they part."""
