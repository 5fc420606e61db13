"""Escalated chats: the inbox, one chat, and how it is run."""
