"""Ignition configs: their fields, their rules, and the form in which matchbox serves them."""
