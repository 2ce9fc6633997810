"""The pages: of one study, and of several beside one another."""
