"""matchbox's HTTP API: requests, routes and responses."""
