"""Floor 6: background work."""
