"""How Go's net/http serves content: ranges, preconditions, content types, listings, paths."""
