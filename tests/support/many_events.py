"""Very many rows of the audit trail and very many followers, stored quickly, for measurements.

The rows of the trail are not chained: what lists and searches cost does not depend on their hashes.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.followers.models import Follower
from bot.staff.models import AuditEvent, AuditHead
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.counties import County
from tests.support.many import store_rows

DAYS = 1_000
ACTIONS = (
    "registrations:application:approve",
    "registrations:application:return",
    "inbox:chat:claim",
    "inbox:chat:close",
    "legal:case:assign",
    "registrations:application:unmask_phone",
)


async def store_many_events(database: Database, clock: Clock, rows: int, actors: Sequence[str]) -> None:
    """Store ``rows`` rows of the trail by ``actors`` in an empty trail."""
    await store_rows(database, AuditEvent, _events(rows, clock.now(), actors))
    await store_rows(database, AuditHead, iter([{"id": 1, "position": rows, "chain_hash": "0" * 64}]))


async def store_many_followers(database: Database, clock: Clock, rows: int) -> None:
    """Store ``rows`` followers, who are those of ``store_many``'s registrations."""
    await store_rows(database, Follower, _followers(rows, clock.now()))


def _events(count: int, now: datetime, actors: Sequence[str]) -> Iterator[dict[str, Any]]:
    chance = random.Random(7)  # noqa: S311 - Nothing secret is drawn.
    for number in range(count):
        yield {
            "position": number + 1,
            "at": now - timedelta(days=DAYS) * ((count - number) / count),
            "actor": chance.choice(actors),
            "action": chance.choice(ACTIONS),
            "object_kind": "registration",
            "object_id": f"QG26-0101-{number % 300_000:06d}",
            "reason": "核对材料" if number % 7 else "职工来电询问",
            "source": f"10.0.0.{number % 200}",
            "previous_hash": "0" * 64,
            "chain_hash": "0" * 64,
        }


def _followers(count: int, now: datetime) -> Iterator[dict[str, Any]]:
    counties = [county.code for county in County]
    for number in range(count):
        at = now - timedelta(minutes=number % 1_000_000)
        yield {
            "openid": f"openid-{number}",
            "subscribed": True,
            "first_scene": "",
            "latest_scene": "",
            "followed_at": at,
            "first_seen_at": at,
            "last_seen_at": at,
            "county": counties[number % len(counties)],
        }
