"""Floor 3: programmes, their windows, quotas, sites and time slots."""
