"""What the tasks of text share: documents of clients as rows of tokens, whose next token is
predicted.
"""
