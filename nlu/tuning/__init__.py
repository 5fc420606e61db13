"""Tuning of the sentence encoder on our texts: done on purpose, in an environment of its own, never by a training."""
