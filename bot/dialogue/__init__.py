"""Floor 2: the flow engine, pure, over the declarations in flows/."""
