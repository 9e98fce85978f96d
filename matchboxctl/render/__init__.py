"""`matchboxctl render`: the response to a machine, and why."""
