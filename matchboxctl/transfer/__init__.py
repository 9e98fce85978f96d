"""`matchboxctl import` and `export`: between a data directory, and table and bucket."""
