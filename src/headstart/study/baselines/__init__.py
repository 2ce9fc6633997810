"""What the runs of a study are held against: answers that need no training, and other training."""
