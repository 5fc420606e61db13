"""Floor 3: chats that were handed to people."""
