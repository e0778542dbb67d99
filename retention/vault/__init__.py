"""Sealed bytes and their keys. Knows names, keys and digests; has never heard of a schedule or a catalogue."""
