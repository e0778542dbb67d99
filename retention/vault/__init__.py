"""Sealed bytes, their keys, and the one door to content."""
