"""Give no more of a recording than was asked for: a part of footage, or of a call, as a file of its own."""
