"""The Lambda function that folds the access log into the history of machines."""
