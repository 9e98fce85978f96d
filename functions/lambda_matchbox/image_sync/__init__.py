"""Syncs of image sources: pull an image from its registry and publish it as a release."""
