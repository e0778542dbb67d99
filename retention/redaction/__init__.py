"""What must not be kept even encrypted is destroyed in the original: a span of sound, and every copy of it we hold."""
