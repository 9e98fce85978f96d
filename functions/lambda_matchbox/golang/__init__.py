"""Go's standard library for text, numbers, JSON, times and URLs, as far as programs show its results."""
