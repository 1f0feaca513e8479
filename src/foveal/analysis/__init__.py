"""What models learned, and where they fail."""
