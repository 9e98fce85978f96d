"""Ignition configs, and Butane configs translated to them."""
