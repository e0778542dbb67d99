"""Write a copy of a video in which every mask is painted over and nothing else is told."""
