"""Floor 4: what flows call; thin handlers over the services."""
