"""The rules of Butane configs."""
