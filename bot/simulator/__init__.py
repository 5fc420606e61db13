"""Floor 6: the platform's side of the wire, for tests and demonstrations.

An independent implementation: it shares no code with ``bot.wechat``, so that the two check each other.
"""
