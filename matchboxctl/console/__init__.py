"""`matchboxctl console`: a local web page on machines, over the same use cases as the commands."""
