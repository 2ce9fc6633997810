"""What is done before and beside a study."""
