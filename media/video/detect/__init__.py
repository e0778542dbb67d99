"""Find faces and people in one picture: a small port, and an adapter for each finder."""
