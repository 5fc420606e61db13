"""Legal cases: the lawyer's queue, one case, and the office's figures."""
