"""Redacted copies for requests, from proposal to verified copy; and spans of originals that must be destroyed."""
