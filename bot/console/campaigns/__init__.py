"""Campaigns: writing, checking, sending, and what came of them."""
