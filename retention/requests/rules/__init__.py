"""What a law asks of whoever answers a person: rulebooks, their clock, and their letters. Pure."""
