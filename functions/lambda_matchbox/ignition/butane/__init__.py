"""Butane configs, translated to Ignition configs as Butane translates them."""
