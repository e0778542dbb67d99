"""Hide people in footage: find them, follow them, paint over them, and look again."""
