"""Image sources and the releases that are published of them."""
