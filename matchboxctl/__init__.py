"""The operator's command, and the stores on a directory."""
