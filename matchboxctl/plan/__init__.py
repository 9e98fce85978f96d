"""`matchboxctl plan`: a boot storm in virtual time."""
