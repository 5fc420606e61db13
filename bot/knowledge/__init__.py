"""Floor 3: the questions workers ask again and again, with answers that staff keep current."""
