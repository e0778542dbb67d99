"""What was done, by whom, to what, for which purpose: chained, and never lost."""
