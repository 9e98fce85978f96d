"""Imports of a whole data directory into table and bucket."""
