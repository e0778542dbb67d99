"""Look at a finished copy again, and say whether it hides what it should."""
