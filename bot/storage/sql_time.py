"""Moments in SQL: the local day and hour of one, and the minutes between two, alike on SQLite and PostgreSQL."""

from datetime import date
from typing import Any

from sqlalchemy import Date, Integer
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from bot.values.clock import LOCAL_ZONE

_SQLITE_OFFSET = "+8 hours"
"""Tongren's zone has had no summer time since 1991; SQLite knows no zones."""


class local_day(FunctionElement[date]):  # noqa: N801 - Reads like the SQL function that it is.
    """The day of a moment in Tongren: ``local_day(Chat.opened_at)``."""

    type = Date()
    inherit_cache = True


class local_hour(FunctionElement[int]):  # noqa: N801 - As above.
    """The hour of a moment in Tongren, 0 to 23."""

    type = Integer()
    inherit_cache = True


class minutes_between(FunctionElement[int]):  # noqa: N801 - As above.
    """The whole minutes from one moment to another: ``minutes_between(Chat.opened_at, Chat.closed_at)``."""

    type = Integer()
    inherit_cache = True


@compiles(local_day, "sqlite")
def _local_day_in_sqlite(element: local_day, compiler: SQLCompiler, **options: Any) -> str:
    return f"date({_seconds(compiler.process(element.clauses, **options))}, '{_SQLITE_OFFSET}')"


def _seconds(moment: str) -> str:
    """Return the text of a moment without what is below the second, which SQLite would round up into the next day."""
    return f"substr({moment}, 1, 19)"


@compiles(local_day, "postgresql")
def _local_day_in_postgresql(element: local_day, compiler: SQLCompiler, **options: Any) -> str:
    return f"(({compiler.process(element.clauses, **options)}) AT TIME ZONE '{LOCAL_ZONE.key}')::date"


@compiles(local_hour, "sqlite")
def _local_hour_in_sqlite(element: local_hour, compiler: SQLCompiler, **options: Any) -> str:
    moment = _seconds(compiler.process(element.clauses, **options))
    return f"CAST(strftime('%H', {moment}, '{_SQLITE_OFFSET}') AS INTEGER)"


@compiles(local_hour, "postgresql")
def _local_hour_in_postgresql(element: local_hour, compiler: SQLCompiler, **options: Any) -> str:
    moment = compiler.process(element.clauses, **options)
    return f"extract(hour FROM ({moment}) AT TIME ZONE '{LOCAL_ZONE.key}')::integer"


@compiles(minutes_between, "sqlite")
def _minutes_in_sqlite(element: minutes_between, compiler: SQLCompiler, **options: Any) -> str:
    begin, end = (compiler.process(one, **options) for one in element.clauses)
    return f"((strftime('%s', {_seconds(end)}) - strftime('%s', {_seconds(begin)})) / 60)"


@compiles(minutes_between, "postgresql")
def _minutes_in_postgresql(element: minutes_between, compiler: SQLCompiler, **options: Any) -> str:
    begin, end = (compiler.process(one, **options) for one in element.clauses)
    return f"floor(extract(epoch FROM ({end}) - ({begin})) / 60)::integer"
