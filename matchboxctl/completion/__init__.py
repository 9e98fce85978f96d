"""`matchboxctl completion`: completion of arguments in a shell."""
