"""The commands on image sources and their releases, in either mode."""
