"""Sealed bytes and their keys."""
