"""Drawing with matplotlib; nothing is judged here."""
