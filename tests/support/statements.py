"""What a database is asked, statement by statement, and how it would go about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import event

from bot.storage.sql import Database


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as the driver got it."""

    text: str
    parameters: Any


@contextmanager
def recorded_statements(database: Database) -> Iterator[list[Statement]]:
    """Collect what runs meanwhile, without the beginnings of transactions."""
    statements: list[Statement] = []

    def note(_connection: object, _cursor: object, text: str, parameters: Any, *_rest: object) -> None:
        if not text.startswith("BEGIN"):
            statements.append(Statement(text, parameters))

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def plan_of(database: Database, statement: Statement) -> str:
    """Return the database's plan, a line a step."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    async with database.connection() as connection:
        rows = (await connection.exec_driver_sql(explain + statement.text, statement.parameters)).all()
    return "\n".join(str(row[-1]) for row in rows)


def reads_whole_table(plan: str, table: str) -> bool:
    """Say whether a plan goes through ``table`` from one end to the other without an index."""
    lines = [line.strip() for line in plan.splitlines()]
    sqlite = any(line.startswith(f"SCAN {table}") and " USING " not in line for line in lines)
    return sqlite or any(f"Seq Scan on {table}" in line for line in lines)
