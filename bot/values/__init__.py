"""Floor 0: pure value types and the parsers that read them from what people write."""
