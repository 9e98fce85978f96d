"""The scheduled Lambda function that syncs image sources."""
