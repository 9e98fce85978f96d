"""`matchboxctl check`: the requests of a booting machine to a running server."""
