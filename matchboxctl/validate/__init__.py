"""`matchboxctl validate`: what machines would miss of a data directory, or of table and bucket, before they ask."""
