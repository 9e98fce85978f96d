"""Ignition configs, and the Butane configs that are translated to them."""
