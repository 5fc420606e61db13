"""Floor 3: followers, what they agreed to, what may be prefilled for them, and their rights over their data."""
