"""Floor 3: staff accounts, what each role may do, and the trail of what was done."""
