"""What is wrong with a table and its bucket, and its repair."""
