"""`matchboxctl render`: what a machine is answered, and why."""
