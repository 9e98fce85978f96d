"""Groups, profiles and templates to be read and written, in a data directory or in table and bucket."""
