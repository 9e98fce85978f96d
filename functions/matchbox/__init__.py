"""The domain: what a machine asks, and what it is told."""
