"""At the door of a site, on a phone: who is expected today, found by a few digits, checked in with one tap."""

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, assert_never

from aiohttp import web

from bot.console.errors import BadAddress, NotFound
from bot.console.registrations.detail import actor
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.registrations.attendance import DayList, SiteDay, SitePlace
from bot.registrations.desk import Desk
from bot.registrations.errors import UnknownSite
from bot.registrations.outcomes import AlreadyIn, Moved
from bot.registrations.review import Decision
from bot.staff.rules import check_reason
from bot.values.clock import Clock

RECORD: Final = "registrations:attendance:record"
UNMASK: Final = "registrations:application:unmask"
DOOR: Final = "/attendance/{site:[0-9]{1,9}}/{day:[0-9]{4}-[0-9]{2}-[0-9]{2}}"
DAYS_AHEAD: Final = 14
SITES_SHOWN: Final = 120
PLACE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})\.(\d{6})\.(\d{1,9})", re.ASCII)


class AttendancePages:
    """The days, one site's day, and the list to print for it."""

    def __init__(self, desk: Desk, clock: Clock) -> None:
        self._desk = desk
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("现场核验", "/attendance", RECORD, "办理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/attendance", self.days, RECORD),
            Route("GET", DOOR, self.door, RECORD),
            Route("POST", f"{DOOR}/check-in", self.check_in, RECORD),
            Route("POST", f"{DOOR}/revoke", self.revoke, RECORD),
            Route("GET", f"{DOOR}/print", self.print_masked, RECORD),
            Route("POST", f"{DOOR}/print", self.print_named, UNMASK),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many are expected today, where it is a day of appointments."""
        if not visit.can(RECORD):
            return []
        today = self._clock.now().date()
        found = await self._desk.attendance.days(today, today, county=visit.county_for(RECORD))
        expected = sum(one.expected for _, one in found)
        return [Tile("今天预约到场", expected, "/attendance")] if expected else []

    async def days(self, visit: Visit) -> web.StreamResponse:
        """List the sites that expect somebody today or soon, a page at a time."""
        today = self._clock.now().date()
        after = _place(visit.filters().raw("after"))
        found = await self._desk.attendance.days(
            today - timedelta(days=1),
            today + timedelta(days=DAYS_AHEAD),
            county=visit.county,
            after=after,
            limit=SITES_SHOWN + 1,
        )
        listed = found[:SITES_SHOWN]
        next_place = _address(*listed[-1]) if len(found) > SITES_SHOWN else None
        return visit.page(
            "registrations/days.html", found=listed, today=today, next_place=next_place, is_first=after is None
        )

    async def door(self, visit: Visit) -> web.StreamResponse:
        """Show who is expected, or who is meant by a few digits."""
        listed = await self._listed(visit)
        typed = visit.filters().raw("q")[:30].strip()
        found = await self._desk.attendance.find(listed.site.id, listed.day, typed) if typed else ()
        return visit.page(
            "registrations/door.html",
            listed=listed,
            typed_digits=typed,
            found=found,
            here=_here(listed),
            today=self._clock.now().date(),
        )

    async def check_in(self, visit: Visit) -> web.StreamResponse:
        """Record that somebody has come."""
        listed, form = await self._listed(visit), await visit.form()
        receipt = self._expected(listed, form.raw("receipt"))
        decision = Decision(receipt=receipt, by=actor(visit), key=form.key, reason="checked_in", source=visit.source)
        outcome = await self._desk.reviews.check_in(decision)
        match outcome:
            case Moved():
                return visit.to(_here(listed), "registration.checked_in", receipt=receipt)
            case AlreadyIn(_, since):
                return visit.to(_here(listed), "registration.already_in", since=f"{since:%H:%M}")
            case _:
                assert_never(outcome)

    async def revoke(self, visit: Visit) -> web.StreamResponse:
        """Take back a check-in that was made by mistake."""
        listed, form = await self._listed(visit), await visit.form()
        receipt = self._expected(listed, form.raw("receipt"))
        decision = Decision(
            receipt=receipt, by=actor(visit), key=form.key, reason="check_in_revoked", source=visit.source
        )
        await self._desk.reviews.revoke_check_in(decision)
        return visit.to(_here(listed), "registration.check_in_revoked", receipt=receipt)

    async def print_masked(self, visit: Visit) -> web.StreamResponse:
        """Show the list for printing, names masked."""
        return self._printed(visit, await self._listed(visit))

    async def print_named(self, visit: Visit) -> web.StreamResponse:
        """Show the list with names, for a reason that the trail keeps."""
        listed, form = await self._listed(visit), await visit.form()
        reason = form.raw("reason")
        form.note("reason", check_reason(reason))
        if form.problems:
            return visit.page(
                "registrations/day_list.html",
                status=422,
                listed=listed,
                here=_here(listed),
                at=self._clock.now(),
                problems=form.problems,
                typed=form.typed(),
            )
        named = await self._desk.attendance.named_list(
            listed.site.id, listed.day, by=visit.viewer.username, reason=reason, source=visit.source
        )
        return self._printed(visit, named)

    def _printed(self, visit: Visit, listed: DayList) -> web.Response:
        return visit.page("registrations/day_list.html", listed=listed, here=_here(listed), at=self._clock.now())

    async def _listed(self, visit: Visit) -> DayList:
        try:
            day = date.fromisoformat(visit.path("day"))
        except ValueError as error:
            raise BadAddress(name="day") from error
        try:
            listed = await self._desk.attendance.day_list(int(visit.path("site")), day)
        except UnknownSite as error:
            raise NotFound from error
        if not visit.may_touch(RECORD, county=listed.site.county):
            raise NotFound
        return listed

    def _expected(self, listed: DayList, receipt: str) -> str:
        if receipt not in {person.receipt for person in listed.people}:
            raise NotFound
        return receipt


def _here(listed: DayList) -> str:
    return f"/attendance/{listed.site.id}/{listed.day}"


def _place(typed: str) -> SitePlace | None:
    """Return where a page begins; raises BadAddress for what no page of ours links to."""
    if not typed:
        return None
    found = PLACE.fullmatch(typed)
    if found is None:
        raise BadAddress(name="after")
    day, county, site = found.groups()
    try:
        return SitePlace(date.fromisoformat(day), county, int(site))
    except ValueError as error:
        raise BadAddress(name="after") from error


def _address(day: date, one: SiteDay) -> str:
    return f"{day.isoformat()}.{one.site.county}.{one.site.id}"
