"""Image sources and their releases."""
