"""The folder of a study: who may write to it, and the files of its runs."""
