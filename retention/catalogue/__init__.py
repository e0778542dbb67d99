"""What we hold, why, and in which state."""
