"""The pages of a console, one module for each."""
