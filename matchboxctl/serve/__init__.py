"""`matchboxctl serve`: the Lambda function's app as a local HTTP server."""
