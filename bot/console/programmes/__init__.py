"""Programmes: what they are, their places, slots, posts and words."""
