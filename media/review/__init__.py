"""The document in which a person decides what of a video is hidden."""
