"""From rows to values and back, and the single way to read a row that must exist."""

from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.errors import UnknownProgramme, UnknownRow
from bot.programmes.models import Post, PostRow, Programme, ProgrammeRow, Site, SiteRow, Slot, SlotRow

R = TypeVar("R", bound=SiteRow | SlotRow | PostRow)


async def programme_row(session: AsyncSession, programme_id: str, *, lock: bool = False) -> ProgrammeRow:
    """Return a programme's row; with ``lock`` nobody else edits it meanwhile. Raises UnknownProgramme."""
    row = await session.get(ProgrammeRow, programme_id, with_for_update={"key_share": True} if lock else None)
    if row is None:
        raise UnknownProgramme(programme_id=programme_id)
    return row


async def any_row(session: AsyncSession, table: type[R], row_id: int, *, lock: bool = False) -> R:
    """Return a site's, slot's or post's row; raises UnknownRow."""
    row = await session.get(table, row_id, with_for_update={"key_share": True} if lock else None)
    if row is None:
        raise UnknownRow(table=table.__tablename__, id=row_id)
    return row


def table_of(value: Site | Slot | Post) -> type[SiteRow | SlotRow | PostRow]:
    """Return the table that ``value`` is a row of."""
    match value:
        case Site():
            return SiteRow
        case Slot():
            return SlotRow
        case Post():
            return PostRow


def site_of(row: SiteRow) -> Site:
    return Site(**{item.name: getattr(row, item.name) for item in fields(Site)})


def slot_of(row: SlotRow) -> Slot:
    return Slot(**{item.name: getattr(row, item.name) for item in fields(Slot)})


def post_of(row: PostRow) -> Post:
    return Post(**{item.name: getattr(row, item.name) for item in fields(Post)})


# Column names are the fields' names; the ORM checks them when the row is made, which mypy cannot.
def fields_of(value: Site | Slot | Post) -> dict[str, Any]:
    """Return the columns of a site, slot or post, without its id, which the database gives."""
    return {item.name: getattr(value, item.name) for item in fields(value) if item.name != "id"}


def columns_of(programme: Programme, now: datetime) -> dict[str, Any]:
    """Return the columns beside ``id`` of a programme's row."""
    return {
        "kind": programme.kind,
        "status": programme.status,
        "version": programme.version,
        "open_at": programme.open_at,
        "close_at": programme.close_at,
        "document": programme,
        "updated_at": now,
    }
