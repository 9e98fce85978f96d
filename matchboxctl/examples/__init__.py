"""`matchboxctl examples`: the examples that come with the command."""
