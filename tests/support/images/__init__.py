"""Container images made by the tests."""
