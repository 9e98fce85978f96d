"""Go's net/http for files: ranges, preconditions, content types, listings, paths."""
