"""OpenPGP signatures, and the keys that make them."""
