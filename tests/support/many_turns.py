"""Very many turns and chats, stored quickly, for measurements: three years of them, as busy by hour as days are."""

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.inbox.models import Chat, Satisfaction
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.turns.log import ANSWERED, SAID
from bot.turns.models import LoggedDay, LoggedTurn
from bot.understanding.models import INTENTS
from bot.values.clock import Clock
from bot.values.counties import County
from tests.support.many import settle, store_few, store_rows

DAYS = 1_000
TURNS_A_CHAT = 10
CERTAINTIES = {"sure": 60, "unsure": 8, "lost": 5, None: 27}
SATISFACTIONS = (*Satisfaction, None)


async def store_many_turns(
    database: Database, cipher: FieldCipher, clock: Clock, rows: int, *, seed: int = 7, chats: bool = True
) -> None:
    """Store ``rows`` turns of the last ``DAYS`` days, and with ``chats`` one for every ``TURNS_A_CHAT`` of them."""
    began, chance = clock.now() - timedelta(days=DAYS), random.Random(seed)  # noqa: S311 - Nothing secret is drawn.
    await store_rows(database, LoggedTurn, _turns(rows, cipher, began, chance))
    if chats:
        await store_rows(database, Chat, _chats(rows, began, chance))
    days = ({"day": (began + timedelta(days=number)).date(), "writes": 1} for number in range(DAYS + 1))
    await store_few(database, LoggedDay, days)
    await settle(database)


def _turns(count: int, cipher: FieldCipher, began: datetime, chance: random.Random) -> Iterator[dict[str, Any]]:
    said, answered = cipher.seal("娃儿大二，得行报不", SAID), cipher.seal("可以报名，我来帮您。" * 6, ANSWERED)
    intents, every = sorted(INTENTS), timedelta(days=DAYS) / count
    sure = chance.choices(list(CERTAINTIES), list(CERTAINTIES.values()), k=count)
    for number in range(count):
        asked = sure[number] in ("sure", "unsure")
        yield {
            "key": f"many-{number}",
            "openid": f"openid-{number * 7 % 600_000}",
            "received_at": began + every * number,
            "kind": "TextMessage",
            "said": said,
            "answered": answered,
            "intent": chance.choice(intents) if asked else None,
            "confidence": 0.9 if asked else None,
            "certainty": sure[number],
            "flow": None,
            "trace": [],
            "took_ms": 40,
            "late": False,
        }


def _chats(turns: int, began: datetime, chance: random.Random) -> Iterator[dict[str, Any]]:
    count, counties = turns // TURNS_A_CHAT, [county.code for county in County]
    for number in range(count):
        opened = began + timedelta(days=DAYS) / count * number
        answered = opened + timedelta(minutes=chance.expovariate(1 / 45))
        closed = answered + timedelta(minutes=chance.expovariate(1 / 300))
        rating = chance.choice(SATISFACTIONS)
        yield {
            "openid": f"openid-{number}",
            "topic": "other",
            "county": chance.choice(counties),
            "reason": "",
            "status": "closed",
            "idempotency_key": f"many-{number}",
            "opened_at": opened,
            "last_at": closed,
            "first_answer_at": answered,
            "closed_at": closed,
            "satisfaction": rating,
            "rated_at": None if rating is None else closed,
        }
