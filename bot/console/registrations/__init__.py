"""Registrations: lists, one of them, decisions, exports, the door, and lists of units."""
