"""The Lambda function behind the load balancer: HTTP in, HTTP out."""
