"""What each route answers: one module for each."""
