"""Steps of the schema: they lead to what the code declares, all or none, and one process at a time."""

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import nullcontext
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, ForeignKey, Integer, MetaData, String, Table, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from bot.legal.rules import waiting_rank
from bot.storage import migrate
from bot.storage.migrate import VERSIONS, MigrationFailed, current, draft, newest, upgrade
from bot.storage.sql import Base, Database, UtcDateTime
from tests.support.databases import PostgresDatabases
from tests.support.tables import import_all_tables


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_urls(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """The URLs of two databases without tables."""
    if request.param == "sqlite":
        return [f"sqlite+aiosqlite:///{tmp_path / f'empty{number}.db'}" for number in range(2)]
    databases: PostgresDatabases = request.getfixturevalue("postgres_databases")
    return [databases.without_tables(number) for number in range(2)]


@pytest.fixture
async def empty_database(empty_urls: list[str]) -> AsyncIterator[Database]:
    """A database without tables."""
    database = Database(empty_urls[0])
    yield database
    await database.close()


@pytest.fixture
async def declared_database(empty_urls: list[str]) -> AsyncIterator[Database]:
    """A database with the tables that the code declares."""
    import_all_tables()
    database = Database(empty_urls[1])
    await database.create_tables()
    yield database
    await database.close()


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    """A folder for steps of a test's own."""
    folder = tmp_path / "100% own steps"
    folder.mkdir()
    return folder


def tables(*, name_length: int | None = None, with_note: bool = False) -> MetaData:
    """Two tables of which one refers to the other."""
    metadata = MetaData(naming_convention=Base.metadata.naming_convention)
    note = [Column("note", String(20), nullable=False, server_default="")] if with_note else []
    Table(
        "unions",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("name", String(name_length or 20), nullable=False),
        Column("founded_at", UtcDateTime()),
        *note,
    )
    Table(
        "members",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("union_id", ForeignKey("unions.id", ondelete="CASCADE"), nullable=False),
    )
    return metadata


async def run(database: Database, *statements: str) -> None:
    async with database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))


async def rows_of(database: Database, table: str) -> int:
    async with database.reading() as session:
        counted = await session.execute(text(f"SELECT count(*) FROM {table}"))  # noqa: S608
        return int(counted.scalar_one())


async def tables_of(database: Database) -> set[str]:
    async with database.connection() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


def write_step(versions: Path, number: int, *body: str) -> None:
    """Write a step by hand."""
    lines = "\n".join(f"    {line}" for line in body)
    before = f"{number - 1:04d}" if number > 1 else None
    (versions / f"step_{number:04d}.py").write_text(
        f"import sqlalchemy as sa\nfrom alembic import op\nrevision = '{number:04d}'\ndown_revision = {before!r}\n"
        f"def upgrade():\n{lines}\n",
        encoding="utf-8",
    )


def plain(value: object) -> object:
    """Return what an inspector says in a form that can be compared: types and conditions as their text."""
    match value:
        case dict():
            return sorted((str(key), repr(plain(part))) for key, part in value.items())
        case list():
            return sorted(repr(plain(part)) for part in value)
        case _ if type(value).__module__.startswith("sqlalchemy."):
            return str(value)
        case _:
            return value


def schema_of(connection: Connection) -> dict[str, object]:
    """Return all that the database says of its tables, so that two schemas can be compared."""
    inspector = inspect(connection)
    return {
        table: [
            plain(inspector.get_columns(table)),
            plain(dict(inspector.get_pk_constraint(table))),
            plain(inspector.get_foreign_keys(table)),
            plain(inspector.get_unique_constraints(table)),
            plain(inspector.get_check_constraints(table)),
            plain(inspector.get_indexes(table)),
        ]
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


@pytest.mark.skipif(newest() is None, reason="the first step is written when all tables exist")
async def test_the_steps_lead_to_the_tables_that_the_code_declares(
    empty_database: Database, declared_database: Database
) -> None:
    await upgrade(empty_database)
    assert await current(empty_database) == newest()
    async with empty_database.connection() as migrated, declared_database.connection() as declared:
        found, wanted = await migrated.run_sync(schema_of), await declared.run_sync(schema_of)
    assert found.keys() == wanted.keys()
    for table, description in wanted.items():
        assert found[table] == description


async def test_a_draft_leads_to_the_tables_and_does_not_depend_on_our_code(
    empty_database: Database, versions: Path
) -> None:
    assert await current(empty_database) is None
    assert newest(versions=versions) is None
    written = await draft(empty_database, tables(), "Unions and members.", versions=versions)
    assert written == versions / "step_0001_unions_and_members.py"
    assert "bot" not in written.read_text(encoding="utf-8")

    await upgrade(empty_database, versions=versions)
    assert await current(empty_database) == newest(versions=versions) == "0001"
    assert await tables_of(empty_database) == {"unions", "members", "alembic_version"}
    assert await draft(empty_database, tables(), "Nothing.", versions=versions) is None
    await upgrade(empty_database, versions=versions)


async def test_a_changed_table_keeps_its_rows_and_those_that_refer_to_it(
    empty_database: Database, versions: Path
) -> None:
    await with_a_second_step(empty_database, versions)
    await upgrade(empty_database, versions=versions)
    assert await current(empty_database) == "0002"
    assert (await rows_of(empty_database, "unions"), await rows_of(empty_database, "members")) == (1, 1)
    assert await draft(empty_database, tables(name_length=40, with_note=True), "Nothing.", versions=versions) is None


async def with_a_second_step(database: Database, versions: Path) -> None:
    """Take a first step, store a union with a member, and draft a second step that changes the union's table."""
    await draft(database, tables(), "First.", versions=versions)
    await upgrade(database, versions=versions)
    await run(
        database,
        "INSERT INTO unions (id, name) VALUES (1, 'Bijiang')",
        "INSERT INTO members (id, union_id) VALUES (1, 1)",
    )
    await draft(database, tables(name_length=40, with_note=True), "Second.", versions=versions)


async def test_control_without_the_care_for_references_rows_would_be_lost(
    sqlite_database: Database, versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_a_second_step(sqlite_database, versions)
    monkeypatch.setattr(migrate, "_loose_references", nullcontext)
    await upgrade(sqlite_database, versions=versions)
    assert await rows_of(sqlite_database, "members") == 0


async def test_references_are_guarded_again_after_the_steps(sqlite_database: Database, versions: Path) -> None:
    await with_a_second_step(sqlite_database, versions)
    await upgrade(sqlite_database, versions=versions)
    with pytest.raises(IntegrityError):
        await run(sqlite_database, "INSERT INTO members (id, union_id) VALUES (2, 99)")


async def test_a_step_that_fails_changes_nothing(empty_database: Database, versions: Path) -> None:
    write_step(versions, 1, "op.create_table('first', sa.Column('id', sa.Integer))")
    write_step(versions, 2, "op.execute('INSERT INTO nowhere VALUES (1)')")
    with pytest.raises(DBAPIError):
        await upgrade(empty_database, versions=versions)
    assert await current(empty_database) is None
    assert await tables_of(empty_database) == set()


async def test_a_step_that_breaks_a_reference_changes_nothing(sqlite_database: Database, versions: Path) -> None:
    await with_a_second_step(sqlite_database, versions)
    write_step(versions, 3, "op.execute('DELETE FROM unions')")
    with pytest.raises(MigrationFailed, match="members"):
        await upgrade(sqlite_database, versions=versions)
    assert await current(sqlite_database) == "0001"
    assert await rows_of(sqlite_database, "unions") == 1


async def test_a_database_of_a_newer_version_is_left_alone(empty_database: Database, versions: Path) -> None:
    write_step(versions, 1, "pass")
    await upgrade(empty_database, versions=versions)
    await run(empty_database, "UPDATE alembic_version SET version_num = '0042'")
    with pytest.raises(MigrationFailed, match="0042"):
        await upgrade(empty_database, versions=versions)
    assert await current(empty_database) == "0042"


RACER = """
import asyncio, sys, time
from pathlib import Path
from bot.legal.rules import waiting_rank
from bot.storage import migrate
from bot.storage.sql import Database

me, versions, guarded_url, unguarded_url = sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]

async def race(name, url):
    (versions / f"{me}.{name}").touch()
    while len(list(versions.glob(f"*.{name}"))) < 2:
        time.sleep(0.01)
    database = Database(url)
    try:
        await migrate.upgrade(database, versions=versions)
        print(name, "succeeded")
    except Exception as error:
        print(name, "failed", error, file=sys.stderr)
    finally:
        await database.close()

asyncio.run(race("guarded", guarded_url))
migrate._alone = Database.connection
asyncio.run(race("unguarded", unguarded_url))
"""


async def test_two_processes_that_start_together_take_each_step_once(
    empty_urls: list[str], versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(VERSIONS.parents[3]))
    write_step(versions, 1, "import time", "time.sleep(0.5)", "op.create_table('first', sa.Column('id', sa.Integer))")
    racers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", RACER, str(number), versions, *empty_urls, stdout=PIPE, stderr=PIPE
        )
        for number in range(2)
    ]
    outputs = [await racer.communicate() for racer in racers]
    lines = [line for said, _ in outputs for line in said.decode().splitlines()]
    assert lines.count("guarded succeeded") == 2, outputs
    # The control, without the lock: one of the two finds the table that it wants to make.
    assert lines.count("unguarded succeeded") == 1, outputs


@pytest.mark.parametrize("statement", ["UPDATE audit_events SET actor = 'x'", "DELETE FROM audit_events"])
async def test_the_trail_cannot_be_changed_after_all_steps(empty_database: Database, statement: str) -> None:
    await upgrade(empty_database)
    row = "1, CURRENT_TIMESTAMP, 'li', 'a:b:c', 'row', '1', '', '', 'x', 'y'"
    columns = "position, at, actor, action, object_kind, object_id, reason, source, previous_hash, chain_hash"
    await run(empty_database, f"INSERT INTO audit_events ({columns}) VALUES ({row})")  # noqa: S608 - Our own words.
    with pytest.raises(DBAPIError, match="append-only"):
        await run(empty_database, statement)
    assert await rows_of(empty_database, "audit_events") == 1


async def test_cases_of_before_get_the_place_in_the_queue_that_new_ones_get(
    empty_database: Database, versions: Path
) -> None:
    for step in sorted(VERSIONS.glob("step_*.py")):
        if step.stem.endswith("waiting_cases_are_paged_in_their_order"):
            break
        shutil.copy(step, versions)
    await upgrade(empty_database, versions=versions)
    kinds = [(urgent, group, due) for urgent in (0, 1) for group in (0, 1) for due in (None, date(2026, 6, 20))]
    no, yes = ("0", "1") if empty_database.is_sqlite else ("false", "true")
    moment = "'2026-06-15 10:00:00'" if empty_database.is_sqlite else "timestamptz '2026-06-15 10:00:00+08'"
    columns = [
        "receipt",
        "openid",
        "idempotency_key",
        "status",
        "topic",
        "topic_source",
        "county",
        "employer",
        "contact_way",
        "facts_sealed",
    ]
    same = {"is_anonymous": no, "fears_retaliation": no, "callback_times": "'[]'", "created_at": moment}
    counts = {"topic_confidence_percent": "0", "people_count": "1", "contact_attempts": "0", "updated_at": moment}
    for number, (urgent, group, due) in enumerate(kinds):
        row = dict.fromkeys(columns, f"'{number}'") | {"status": "'pending'"} | same | counts
        row |= {"is_urgent": yes if urgent else no, "is_group": yes if group else no}
        row["nearest_due_on"] = "NULL" if due is None else f"'{due}'"
        names, values = ", ".join(row), ", ".join(row.values())
        await run(empty_database, f"INSERT INTO legal_cases ({names}) VALUES ({values})")  # noqa: S608 - Our own words.
    await upgrade(empty_database)
    async with empty_database.reading() as session:
        ranks = [*await session.scalars(text("SELECT waiting_rank FROM legal_cases ORDER BY id"))]
    assert ranks == [waiting_rank(due, urgent=bool(urgent), group=bool(group)) for urgent, group, due in kinds]
