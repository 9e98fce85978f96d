"""`matchboxctl serve`: HTTP in front of the function's own code."""
