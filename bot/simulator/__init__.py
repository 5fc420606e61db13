"""Floor 6: the platform's side, for tests and demonstrations."""
