"""Moves a database to the newest schema, and drafts the next step from the tables that the code declares."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

from alembic import command
from alembic.config import Config
from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.storage.sql import Database
from bot.values.errors import BotError

SCRIPTS = Path(__file__).parent / "migrations"
VERSIONS = SCRIPTS / "versions"

_ADVISORY_LOCK = 0x75_6E_69_6F_6E
"""Any number will do, as long as everybody who migrates this database takes the same."""


class MigrationFailed(BotError):
    """The schema could not be changed; nothing was. ``problem`` says why."""

    code: ClassVar[str] = "storage.migration_failed"


async def upgrade(database: Database, *, versions: Path = VERSIONS) -> None:
    """Bring the schema to the newest step: all steps or none.

    Several processes may start at once: one works, the others wait for it and find nothing left to do.
    Raises MigrationFailed when the database is of a newer version than the code, or a step breaks a reference.
    """
    async with _alone(database) as connection:
        try:
            await connection.run_sync(partial(_upgrade, versions=versions))
        except CommandError as error:
            raise MigrationFailed(problem=str(error)) from error


async def current(database: Database) -> str | None:
    """Return the database's step, ``None`` when it has no schema of ours."""
    async with database.connection() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def newest(*, versions: Path = VERSIONS) -> str | None:
    """Return the code's newest step, ``None`` while there is none."""
    return ScriptDirectory.from_config(_config(versions)).get_current_head()


async def draft(database: Database, metadata: MetaData, message: str, *, versions: Path = VERSIONS) -> Path | None:
    """Write the step that turns ``database`` (at the newest step) into ``metadata``; ``None`` if nothing differs.

    A draft is read and corrected by a person: a renamed column looks like one dropped and one added.
    """
    async with _alone(database) as connection:
        return await connection.run_sync(partial(_draft, metadata=metadata, message=message, versions=versions))


def _upgrade(connection: Connection, versions: Path) -> None:
    command.upgrade(_config(versions, connection), "head")
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if broken is not None:
            raise MigrationFailed(problem=f"a step left a row of {broken[0]} without its {broken[2]}")


def _draft(connection: Connection, metadata: MetaData, message: str, versions: Path) -> Path | None:
    config = _config(versions, connection, metadata)
    number = len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1
    written = command.revision(
        config, message, autogenerate=True, rev_id=f"{number:04d}", process_revision_directives=_skip_empty
    )
    return Path(written.path) if written and not isinstance(written, list) else None


def _skip_empty(_context: object, _revision: object, directives: list[MigrationScript]) -> None:
    operations = directives[0].upgrade_ops
    if operations is not None and operations.is_empty():
        directives.clear()


def _config(versions: Path, connection: Connection | None = None, metadata: MetaData | None = None) -> Config:
    config = Config(attributes={"connection": connection, "metadata": metadata})
    options = {"script_location": SCRIPTS, "version_locations": versions, "file_template": "step_%(rev)s_%(slug)s"}
    for name, value in options.items():
        config.set_main_option(name, str(value).replace("%", "%%"))
    # Paths may hold colons, but hardly line breaks.
    config.set_main_option("path_separator", "newline")
    return config


@asynccontextmanager
async def _alone(database: Database) -> AsyncIterator[AsyncConnection]:
    """Give a transaction that no other process can have at the same time."""
    if not database.is_sqlite:
        async with database.connection() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            yield connection
        return
    async with database.engine.connect() as plain:
        connection = await plain.execution_options(sqlite_begin="IMMEDIATE")
        async with _loose_references(connection), connection.begin():
            yield connection


@asynccontextmanager
async def _loose_references(connection: AsyncConnection) -> AsyncIterator[None]:
    """Let a table be replaced on SQLite: dropping it would delete the rows that refer to it.

    The setting can be changed only outside a transaction, so it goes round the engine.
    """
    driver = (await connection.get_raw_connection()).driver_connection
    assert driver is not None
    await driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        await driver.execute("PRAGMA foreign_keys=ON")
