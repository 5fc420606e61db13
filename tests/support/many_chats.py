"""Very many chats with their messages, stored quickly, for measurements: three years of them, a few still running."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from bot.inbox.models import Alert, Chat, ChatMessage
from bot.inbox.rows import MESSAGE_TEXT
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.counties import County
from tests.support.many import store_rows

DAYS = 1_000
TOPICS = ("general", "general", "legal", "complaint", "registration")
LINES_A_CHAT = 2
RUNNING_PER_MILLE = 2
"""Of a million chats so many run: what some hundred agents have on their hands."""


async def store_many_chats(
    database: Database, cipher: FieldCipher, clock: Clock, rows: int, agents: Sequence[str], *, seed: int = 7
) -> None:
    """Store ``rows`` chats of ``agents`` with ``LINES_A_CHAT`` messages each; the last few run, half of them wait."""
    chance = random.Random(seed)  # noqa: S311 - Nothing secret is drawn.
    words = cipher.seal("你好，我的补助什么时候能下来？", MESSAGE_TEXT)
    await store_rows(database, Chat, _chats(rows, clock.now(), agents, chance))
    await store_rows(
        database, ChatMessage, chain.from_iterable(_lines(n, rows, clock.now(), words) for n in range(rows))
    )
    await store_rows(database, Alert, _alerts(rows // 100, clock.now()))


def _opened(number: int, count: int, now: datetime) -> datetime:
    return now - timedelta(days=DAYS) * ((count - number) / count)


def _chats(count: int, now: datetime, agents: Sequence[str], chance: random.Random) -> Iterator[dict[str, Any]]:
    counties = [None, *(county.code for county in County)]
    running = max(1, count * RUNNING_PER_MILLE // 1_000)
    for number in range(count):
        opened = _opened(number, count, now)
        runs, waits = number >= count - running, number >= count - running // 2
        agent, topic = chance.choice(agents), chance.choice(TOPICS)
        yield {
            "id": number + 1,
            # One follower has at most one chat that runs, and a few have had very many.
            "openid": f"openid-{number}" if runs or number % 3 else f"openid-{number % 1_000}",
            "lane": 0 if number % 997 == 0 else 1,
            "topic": topic,
            "county": chance.choice(counties),
            "reason": "asked",
            "status": "waiting" if waits else "open" if runs else "closed",
            "idempotency_key": f"many-chat-{number}",
            "opened_at": opened,
            "last_at": opened + timedelta(minutes=LINES_A_CHAT),
            "last_message_id": (number + 1) * LINES_A_CHAT,
            "heard_at": opened,
            "unread": 1 if runs else 0,
            "unanswered_since": opened if runs else None,
            "first_answer_due_at": opened + timedelta(minutes=30),
            "resolution_due_at": opened + timedelta(days=2),
            "claimed_by": None if waits else agent,
            "first_answer_at": None if waits else opened + timedelta(minutes=1),
            "closed_at": None if runs else opened + timedelta(hours=1),
            "closed_by": None if runs else agent,
            "close_reason": None if runs else "solved",
        }


def _lines(number: int, count: int, now: datetime, words: bytes) -> Iterator[dict[str, Any]]:
    opened = _opened(number, count, now)
    for line in range(LINES_A_CHAT):
        ours = line % 2 == 1
        yield {
            "id": number * LINES_A_CHAT + line + 1,
            "chat_id": number + 1,
            "direction": "outbound" if ours else "inbound",
            "kind": "text",
            "text_sealed": words,
            "detail": "",
            "author": "agent" if ours else "follower",
            "idempotency_key": f"many-line-{number}-{line}",
            "delivery_status": "sent" if ours else "received",
            "created_at": opened + timedelta(minutes=line),
        }


def _alerts(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    for number in range(count):
        at = _opened(number, count, now)
        taken = number < count - 20
        yield {
            "level": "P0" if number % 3 else "P1",
            "kind": "crisis",
            "openid": f"openid-{number}",
            "idempotency_key": f"many-alert-{number}",
            "created_at": at,
            "acknowledged_at": at if taken else None,
            "acknowledged_by": "agent" if taken else None,
        }
