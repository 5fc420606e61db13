"""Floor 3: applications, places, waiting lists and their status machine."""
