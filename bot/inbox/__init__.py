"""Floor 3: chats that people took over from the bot, the hours they keep, and alerts to those on duty."""
