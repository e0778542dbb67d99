"""What runs by itself: the bell that rings for the night."""
