"""Floor 3: staff accounts, roles and the audit trail."""
