"""Databases for tests: one that has all tables and no rows, and empty ones to migrate."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from bot.storage.sql import Database

# Emptying the tables of one database takes a few milliseconds; a new database a test would take a hundred.
_DISCONNECT_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
_EMPTY = """
DO $$
DECLARE found record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('DELETE FROM %I', found.tablename);
    END LOOP;
    FOR found IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', found.sequencename);
    END LOOP;
END $$
"""

# Rows that were kept come back by one statement a table, without constraints being checked again.
_KEEP = """
DO $$
DECLARE found record;
BEGIN
    DROP SCHEMA IF EXISTS kept CASCADE;
    CREATE SCHEMA kept;
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('CREATE TABLE kept.%1$I AS TABLE public.%1$I', found.tablename);
    END LOOP;
    CREATE TABLE kept."the sequences" AS
        SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""
_BRING_BACK = """
DO $$
DECLARE found record;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'kept' AND tablename <> 'the sequences' LOOP
        EXECUTE format('INSERT INTO public.%1$I SELECT * FROM kept.%1$I', found.tablename);
    END LOOP;
    PERFORM setval(format('public.%I', sequencename)::regclass, last_value) FROM kept."the sequences";
END $$
"""
Fill = Callable[[str], Coroutine[None, None, None]]
"""Fills the database at a URL with rows."""


class PostgresDatabases:
    """Databases of one session on one server. ``server_url`` names a database of an account that may create more."""

    def __init__(self, server_url: str) -> None:
        self._server_url = make_url(server_url)
        self._server = create_async_engine(server_url, isolation_level="AUTOCOMMIT")
        # A loop of its own, so that the loops of the tests stay as they are.
        self._runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._made: list[str] = []
        self.url = self._create()
        self._spare: dict[int, str] = {}
        self._emptier = create_async_engine(self.url, isolation_level="AUTOCOMMIT")
        self._runner.run(_with_tables(self.url))
        self._keeps = False

    def without_tables(self, number: int = 0) -> str:
        """Return the URL of a database without tables: the same one for the same ``number``, cleared again."""
        if number not in self._spare:
            self._spare[number] = self._create()
        else:
            self._runner.run(_clear(self._spare[number]))
        return self._spare[number]

    def _create(self) -> str:
        name = f"bot_test_{uuid4().hex}"
        self._execute(self._server, f"CREATE DATABASE {name}")
        self._made.append(name)
        return self._server_url.set(database=name).render_as_string(hide_password=False)

    def empty(self) -> None:
        """Delete every row of ``url`` and restart its sequences."""
        self._execute(self._emptier, _DISCONNECT_OTHERS, _EMPTY)

    def refill(self, fill: Fill) -> None:
        """Make ``url`` hold what ``fill``, the same for a session, writes into an empty database.

        It runs once; afterwards its rows are copied.
        """
        self.empty()
        if self._keeps:
            self._execute(self._emptier, _BRING_BACK)
        else:
            self._runner.run(fill(self.url))
            self._execute(self._emptier, _KEEP)
            self._keeps = True

    def drop_all(self) -> None:
        """Drop what was made, on a server that stays."""
        self._execute(self._server, *(f"DROP DATABASE {name} WITH (FORCE)" for name in self._made))

    def close(self) -> None:
        """Close the connections."""
        self._runner.run(self._emptier.dispose())
        self._runner.run(self._server.dispose())
        self._runner.close()

    def _execute(self, engine: AsyncEngine, *statements: str) -> None:
        async def execute() -> None:
            async with engine.connect() as connection:
                for statement in statements:
                    await connection.execute(text(statement))

        self._runner.run(execute())


async def _with_tables(url: str) -> None:
    database = Database(url)
    await database.create_tables()
    await database.close()


async def _clear(url: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in (_DISCONNECT_OTHERS, "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"):
            await connection.execute(text(statement))
    await engine.dispose()


class SqliteDatabases:
    """Copies of one file that has all tables."""

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        self._filled = folder / "filled.db"
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(_with_tables(f"sqlite+aiosqlite:///{self._template}"))

    def copy_to(self, path: Path) -> str:
        """Write a fresh copy to ``path``; return its SQLAlchemy URL."""
        shutil.copyfile(self._template, path)
        return f"sqlite+aiosqlite:///{path}"

    def filled_copy_to(self, path: Path, fill: Fill) -> str:
        """Write a copy with the rows of ``fill`` to ``path``; return its URL. It runs once; a session has one."""
        if not self._filled.exists():
            making = self._filled.with_suffix(".making")
            with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
                runner.run(fill(self.copy_to(making)))
            making.rename(self._filled)
        shutil.copyfile(self._filled, path)
        return f"sqlite+aiosqlite:///{path}"
