"""Sprig's functions for templates, by the source of Sprig 3.3 (github.com/Masterminds/sprig)."""
