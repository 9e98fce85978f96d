"""The rules that a Butane config has to keep."""
