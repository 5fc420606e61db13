"""Floor 5: one turn from delivery to commit."""
