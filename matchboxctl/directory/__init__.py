"""The stores on matchbox's data directory."""
