"""What is handed over in answer to a request, how it was, and what became of it."""
