"""The tables of what staff do with many registrations at once: saved views, bulk runs, unit lists.

None of them holds a personal value: receipts, line numbers, codes and names of fields only.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class SavedView(Base):
    """A named set of filters. A shared one is offered to everybody, and changed by its owner only."""

    __tablename__ = "registration_views"
    __table_args__ = (UniqueConstraint("owner", "name"), Index(None, "shared", "name"))

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(40))
    shared: Mapped[bool]
    filters: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]


class BulkRun(Base):
    """One decision about many registrations. ``county`` is how far whoever started it may reach (``None``: anywhere).

    ``undo_of`` names the run that this one takes back.
    """

    __tablename__ = "registration_bulk_runs"
    __table_args__ = (Index(None, "by", "created_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    step: Mapped[str] = mapped_column(String(16))
    by: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(64))
    county: Mapped[str | None] = mapped_column(String(24))
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text)
    items: Mapped[list[str]] = mapped_column(JSON)
    until: Mapped[datetime | None]
    undo_of: Mapped[int | None] = mapped_column(ForeignKey("registration_bulk_runs.id"), index=True)
    total: Mapped[int]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class BulkRow(Base):
    """What became of one registration of a run: ``outcome`` is ``None`` until it was looked at, ``done``, or a code
    of why not, with ``fields`` that fill its sentence.
    """

    __tablename__ = "registration_bulk_rows"
    __table_args__ = (Index(None, "run_id", "outcome", "ordinal"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("registration_bulk_runs.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    receipt: Mapped[str] = mapped_column(String(24))
    outcome: Mapped[str | None] = mapped_column(String(40))
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)


class UnitList(Base):
    """A list of people whom a unit registers. The file is a private one and goes when the list is done or given up.

    ``authorised_by`` says how the unit has its people's agreement (a code of the form).
    """

    __tablename__ = "registration_unit_lists"
    __table_args__ = (Index(None, "programme_id", "uploaded_at"), Index(None, "state", "uploaded_at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id"))
    unit: Mapped[str] = mapped_column(String(80))
    authorised_by: Mapped[str] = mapped_column(String(24))
    state: Mapped[str] = mapped_column(String(12))
    by: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(64))
    file_id: Mapped[str | None] = mapped_column(String(80))
    file_name: Mapped[str] = mapped_column(String(120))
    uploaded_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class UnitListLine(Base):
    """One line of a list: ``outcome`` is ``ready``, ``faulty``, ``already``, ``stored`` or ``refused``.

    ``problems``: one entry a fault with ``column`` (its title), ``code`` and ``fields``.
    """

    __tablename__ = "registration_unit_list_lines"
    __table_args__ = (Index(None, "list_id", "outcome", "line"),)

    list_id: Mapped[int] = mapped_column(ForeignKey("registration_unit_lists.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(String(12))
    receipt: Mapped[str | None] = mapped_column(String(24))
    problems: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
