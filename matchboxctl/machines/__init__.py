"""`matchboxctl machine`: what operators decide about machines, and what the server would give them."""
