"""Butane's short forms, replaced by the Ignition config that they stand for."""
