"""What a repository keeps of a study, and the page of findings over such studies."""
