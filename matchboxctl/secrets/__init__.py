"""`matchboxctl secret`: secrets that templates name."""
