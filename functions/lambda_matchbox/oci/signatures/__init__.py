"""Signatures of images, as cosign makes and stores them."""
