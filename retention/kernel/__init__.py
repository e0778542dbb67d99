"""The words every room uses. Pure: no input, no output, no vendor."""
