"""Floor 2: from text to intent."""
