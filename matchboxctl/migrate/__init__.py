"""`matchboxctl migrate`: from matchbox to this project, and what differs."""
