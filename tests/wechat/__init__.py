"""Tests of the platform as values and of its API client."""
