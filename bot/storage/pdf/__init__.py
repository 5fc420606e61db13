"""The parts of ``bot/storage/documents.py``: reading, copying and marking the pages of a PDF."""
