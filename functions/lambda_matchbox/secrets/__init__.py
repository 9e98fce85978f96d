"""Secrets that templates name, and the stores of their values."""
