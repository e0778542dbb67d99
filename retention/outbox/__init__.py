"""What waits for somebody outside, encrypted, and the small public app that hands it out."""
