"""The user's own data: tables of files, and arrays on disk."""
