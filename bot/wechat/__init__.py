"""Floor 2: the WeChat platform as typed values and an API client."""
