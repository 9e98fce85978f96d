"""Ignition configs: fields, rules, and their canonical form."""
