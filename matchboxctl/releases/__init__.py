"""`matchboxctl sync` and its like: image sources and their releases, in either mode."""
