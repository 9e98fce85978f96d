"""`matchboxctl cost`: what the stack costs."""
