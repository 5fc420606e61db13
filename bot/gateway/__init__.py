"""Floor 6: the WeChat callback over HTTP."""
