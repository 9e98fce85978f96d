"""The library behind the Lambda functions and `matchboxctl`."""
