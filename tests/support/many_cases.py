"""Very many legal cases, stored quickly, for measurements: three years of them, a few still running."""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.legal.models import ContactWay, LegalCase
from bot.legal.rows import NAME, PHONE, STORY, seal_facts
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.counties import County
from tests.support.many import store_rows

DAYS = 1_000
STATUSES = {"followed_up": 60, "completed": 30, "cancelled": 10}
RUNNING = ("pending", "assigned", "contacted", "answering", "returned")
RUNNING_PER_MILLE = 10
OUTCOMES = ("oral_advice", "written_advice", "aid_application", "referred_12348", "settled")
TOPICS = tuple(f"W{number}" for number in range(1, 16))


async def store_many_cases(
    database: Database, cipher: FieldCipher, clock: Clock, rows: int, lawyers: Sequence[str], *, seed: int = 7
) -> None:
    """Store ``rows`` cases of ``lawyers``."""
    chance = random.Random(seed)  # noqa: S311 - Nothing secret is drawn.
    await store_rows(database, LegalCase, _cases(rows, clock.now(), cipher, lawyers, chance))


def receipt_of(number: int, count: int, now: datetime) -> str:
    """Return the receipt of the case with that number among ``count``."""
    return f"FL{_at(number, count, now):%y-%m%d}-{number % 1_000_000:06d}"


def _at(number: int, count: int, now: datetime) -> datetime:
    return now - timedelta(days=DAYS) * ((count - number) / count)


def _cases(
    count: int, now: datetime, cipher: FieldCipher, lawyers: Sequence[str], chance: random.Random
) -> Iterator[dict[str, Any]]:
    counties = [county.code for county in County]
    sealed = {"name_sealed": NAME, "phone_sealed": PHONE, "story_sealed": STORY}
    words = {column: cipher.seal("欠薪三个月", context) for column, context in sealed.items()}
    facts = seal_facts(cipher, {"unpaid_period": "3 个月"})
    running = max(len(RUNNING), count * RUNNING_PER_MILLE // 1_000)
    over = chance.choices(list(STATUSES), list(STATUSES.values()), k=count)
    for number in range(count):
        at, runs = _at(number, count, now), number >= count - running
        status = RUNNING[number % len(RUNNING)] if runs else over[number]
        people = 1 if number % 20 else 12
        yield {
            "receipt": receipt_of(number, count, now),
            "openid": f"openid-{number % 600_000}",
            "idempotency_key": f"many-case-{number}",
            "status": status,
            "topic": chance.choice(TOPICS),
            "topic_source": "chosen",
            "topic_confidence_percent": 90,
            "is_anonymous": False,
            "county": chance.choice(counties),
            "employer": "某某建筑公司",
            "people_count": people,
            "is_group": people >= 10,
            "is_urgent": number % 50 == 0,
            "nearest_due_on": (at + timedelta(days=300)).date(),
            "fears_retaliation": False,
            "contact_way": chance.choice(list(ContactWay)).value,
            "callback_times": [],
            **words,
            "facts_sealed": facts,
            "assigned_to": None if status == "pending" else chance.choice(lawyers),
            "contact_attempts": 1,
            "outcome": None if runs else chance.choice(OUTCOMES),
            "created_at": at,
            "updated_at": at,
        }
