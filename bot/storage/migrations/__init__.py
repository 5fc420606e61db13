"""Alembic's folder: ``versions`` holds the steps, ``bot.storage.migrate`` takes them."""
