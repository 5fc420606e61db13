"""Named sets of filters: one's own, and those that somebody shares with everybody."""

from dataclasses import dataclass

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import IntegrityError

from bot.registrations.desk_models import SavedView
from bot.registrations.filters import Filter, as_json, from_json
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

NAME_MAX_CHARS = 20
VIEWS_MAX = 30
"""More cannot be told apart in a menu."""


@dataclass(frozen=True, slots=True)
class View:
    """A view as somebody sees it in their menu."""

    id: int
    name: str
    owner: str
    shared: bool
    filter: Filter


class SavedViews:
    """What accounts keep. Filters hold no personal value: what was searched for is never part of a view."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, owner: str) -> tuple[View, ...]:
        """Return the account's own views and the shared ones, by name."""
        query = select(SavedView).where(or_(SavedView.owner == owner, SavedView.shared.is_(True)))
        async with self._database.reading() as session:
            return tuple(map(_view, await session.scalars(query.order_by(SavedView.name, SavedView.id))))

    async def save(self, owner: str, name: str, wanted: Filter, *, shared: bool) -> View | Problem:
        """Keep ``wanted`` under a name; the same name of the same owner is replaced."""
        name = " ".join(name.split())
        if not 0 < len(name) <= NAME_MAX_CHARS:
            return Problem("view.name_length", {"max_chars": NAME_MAX_CHARS})
        try:
            return await self._save(owner, name, wanted, shared=shared)
        except IntegrityError:
            # Saved from two windows at once: the other one is there now, and is replaced.
            return await self._save(owner, name, wanted, shared=shared)

    async def delete(self, owner: str, view_id: int) -> bool:
        """Forget a view of the account's own; say whether there was one."""
        mine = (SavedView.id == view_id, SavedView.owner == owner)
        async with self._database.transaction() as session:
            found = await session.scalar(select(SavedView.id).where(*mine))
            await session.execute(delete(SavedView).where(*mine))
            return found is not None

    async def _save(self, owner: str, name: str, wanted: Filter, *, shared: bool) -> View | Problem:
        async with self._database.transaction() as session:
            named = select(SavedView).where(SavedView.owner == owner, SavedView.name == name)
            row = (await session.scalars(named)).one_or_none()
            if row is None:
                kept = await session.scalar(select(func.count()).where(SavedView.owner == owner))
                if (kept or 0) >= VIEWS_MAX:
                    return Problem("view.too_many", {"most": VIEWS_MAX})
                row = SavedView(owner=owner, name=name, created_at=self._clock.now())
                session.add(row)
            row.shared, row.filters = shared, as_json(wanted)
            await session.flush()
            return _view(row)


def _view(row: SavedView) -> View:
    return View(row.id, row.name, row.owner, row.shared, from_json(row.filters))
