"""Silence what was said, to the sample, and point out what a person should look at."""
