"""Broadcast campaigns: who gets what by which channel, sent once to each, and what came of it."""
