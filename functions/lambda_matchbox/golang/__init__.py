"""How Go's standard library reads and writes text, numbers, JSON, times and URLs."""
