"""The stores on DynamoDB and S3: the only place that knows a table key or an S3 key."""
