"""Sprig's functions for templates, after Sprig 3.3 (github.com/Masterminds/sprig), over the values of `go_values`."""
