"""A person's request, from receipt to delivery."""
