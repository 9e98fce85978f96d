"""`matchboxctl check`: a running server is asked as a machine asks."""
