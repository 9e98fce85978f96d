"""The scheduled Lambda function that publishes boot images, and the sync that it does."""
