"""The Lambda function that answers paths in .sig and .asc."""
