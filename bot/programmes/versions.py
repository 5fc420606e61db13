"""Storing a version: the document, who made it and why, and the rows that changed, in the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.errors import InvalidProgramme
from bot.programmes.models import Post, Programme, ProgrammeRow, ProgrammeVersionRow, Site, Slot
from bot.programmes.rows import columns_of
from bot.programmes.rules import faults
from bot.programmes.snapshots import JsonValue, to_plain


@dataclass(frozen=True, slots=True)
class Edit:
    """Who edits, why, when, and which sites, slots and posts change (from ``trace``)."""

    editor: str
    note: str
    at: datetime
    rows_changed: Sequence[dict[str, JsonValue]] = ()


def store_version(session: AsyncSession, row: ProgrammeRow, programme: Programme, edit: Edit) -> Programme:
    """Make ``programme`` the next version of ``row``, which the caller has locked, and return it."""
    stored = replace(programme, version=row.version + 1)
    for name, value in columns_of(stored, edit.at).items():
        setattr(row, name, value)
    session.add(version_row(stored, edit))
    return stored


def version_row(stored: Programme, edit: Edit) -> ProgrammeVersionRow:
    """Return the row that keeps a version for good."""
    return ProgrammeVersionRow(
        programme_id=stored.id,
        version=stored.version,
        document=stored,
        rows_changed=list(edit.rows_changed),
        editor=edit.editor,
        note=edit.note,
        edited_at=edit.at,
    )


def trace(changed: Site | Slot | Post) -> dict[str, JsonValue]:
    """Return what a version keeps of a row that changed with it."""
    return {"table": type(changed).__name__.lower(), "row": to_plain(changed)}


def refuse_faults(programme: Programme) -> None:
    """Raise InvalidProgramme when the rules contradict each other."""
    found = faults(programme)
    if found:
        raise InvalidProgramme(programme_id=programme.id, problem=", ".join(found))
