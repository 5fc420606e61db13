"""Floor 3: legal cases and their deadlines."""
