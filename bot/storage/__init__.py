"""Floor 1: SQL, Redis, field encryption and private files."""
