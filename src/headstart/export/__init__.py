"""What a study found, deployed: its recipe, and the app that carries it out."""
