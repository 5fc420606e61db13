"""Floor 7: the commands of ``python -m bot``, one module a group."""
