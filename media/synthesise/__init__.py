"""Material for demonstrations and tests: calls that speak, cameras that see somebody pass."""
