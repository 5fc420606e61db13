"""Floor 6: the staff console over HTTP."""
