"""A console over the whole assistant, with the demonstration's programmes, and a clock that tests move."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket

from bot.app.assistant import open_bot
from bot.values.clock import MovedClock
from tests.console.campaign_office import Office
from tests.console.served import ServedConsole, serving
from tests.support.assistant import settings_for, simulated_platform


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords quickly: a hundred sign-ins of the tests need no protection."""
    monkeypatch.setattr(
        "bot.staff.passwords.PasswordHasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )


class _Compiled(BytecodeCache):
    """Keeps compiled templates in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._kept.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


@pytest.fixture(scope="session")
def _compiled() -> _Compiled:
    return _Compiled()


@pytest.fixture(autouse=True)
def _templates_are_compiled_once(_compiled: _Compiled, monkeypatch: pytest.MonkeyPatch) -> None:
    """Share the compiled templates between the consoles of a session."""
    monkeypatch.setattr("bot.console.pages.Environment", partial(Environment, bytecode_cache=_compiled))


@pytest.fixture
async def console(seeded_url: str, redis_url: str, tmp_path: Path, clock: MovedClock) -> AsyncIterator[ServedConsole]:
    """The console over SQLite and over PostgreSQL."""
    settings = settings_for(database_url=seeded_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, clock) as bot, serving(bot) as served:
        yield served


@pytest.fixture
async def sqlite_console(
    seeded_sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock
) -> AsyncIterator[ServedConsole]:
    """The console over SQLite alone, for tests whose subject is not the database."""
    settings = settings_for(database_url=seeded_sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, clock) as bot, serving(bot) as served:
        yield served


@pytest.fixture
async def office(seeded_sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock) -> AsyncIterator[Office]:
    """The console beside the simulated platform with three followers, for what campaigns do there."""
    settings = settings_for(database_url=seeded_sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with (
        simulated_platform(settings, clock, tells_of_mass_jobs=False, attempts=1) as platform,
        open_bot(settings, clock) as bot,
        serving(bot) as served,
    ):
        people = [platform.add_follower(f"职工{number}").openid for number in range(3)]
        for openid in people:
            await served.records.followers.followed(openid, "", f"follow-{openid}")
        staff = [await served.staff(f"campaign_{role}") for role in ("operator", "approver")]
        yield Office(served, platform, clock, people, *staff)
