"""The responses to machines: one module for each route."""
