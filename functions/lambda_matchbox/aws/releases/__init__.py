"""Image sources and their releases in the table and the bucket."""
