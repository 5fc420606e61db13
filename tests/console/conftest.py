"""A console over the whole assistant, with the demonstration's programmes, and a clock that tests move."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from bot.app.assistant import open_bot
from bot.commands.run import seed
from bot.values.clock import MovedClock
from tests.console.served import ServedConsole, serving
from tests.support.assistant import settings_for


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords quickly: a hundred sign-ins of the tests need no protection."""
    monkeypatch.setattr(
        "bot.staff.passwords.PasswordHasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    )


@pytest.fixture
async def console(
    database_url: str, redis_url: str, tmp_path: Path, clock: MovedClock
) -> AsyncIterator[ServedConsole]:
    """The console over SQLite and over PostgreSQL."""
    settings = settings_for(database_url=database_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, clock) as bot:
        await seed(bot.records)
        async with serving(bot) as served:
            yield served


@pytest.fixture
async def sqlite_console(
    sqlite_url: str, redis_url: str, tmp_path: Path, clock: MovedClock
) -> AsyncIterator[ServedConsole]:
    """The console over SQLite alone, for tests whose subject is not the database."""
    settings = settings_for(database_url=sqlite_url, redis_url=redis_url, data_dir=tmp_path)
    async with open_bot(settings, clock) as bot:
        await seed(bot.records)
        async with serving(bot) as served:
            yield served
