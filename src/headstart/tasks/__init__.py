"""Tasks (data, loss, metrics), one a file, and partitions of their rows over clients."""
