"""`matchboxctl completion`: what a shell completes."""
