"""Groups, profiles and templates in the table and the bucket."""
