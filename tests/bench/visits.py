"""What staff look at: each page of the console with the filters that go with it, at a random place."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from bot.followers.references import FollowerReferences
from bot.values.counties import County
from tests.support.many_cases import receipt_of
from tests.support.many_registrations import GIVEN, SURNAMES

DAYS = 1_000
Fields = Mapping[str, str]
Path = Callable[[random.Random], str]


class Role(StrEnum):
    """Who looks: the first sees everything, the others their county, their own, or the trail."""

    ADMINISTRATOR = "administrator"
    REVIEWER = "county_reviewer"
    LAWYER = "lawyer"
    AGENT = "chat_agent"

    @property
    def account(self) -> str:
        """The account, which the rows know as well where they belong to somebody."""
        return {"lawyer": "lawyer0", "chat_agent": "agent0"}.get(self.value, self.value)


@dataclass(frozen=True, slots=True)
class Place:
    """What was stored: how many rows a table, the programmes from the oldest on, and when."""

    rows: int
    programmes: tuple[str, ...]
    lawyers: tuple[str, ...]
    at: datetime

    def written(self) -> dict[str, Any]:
        """Return it for a file."""
        return {"rows": self.rows, "programmes": self.programmes, "lawyers": self.lawyers, "at": self.at.isoformat()}

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> "Place":
        """Return what ``written`` gave."""
        at = datetime.fromisoformat(written["at"])
        return cls(written["rows"], tuple(written["programmes"]), tuple(written["lawyers"]), at)


@dataclass(frozen=True, slots=True)
class Look:
    """One page: who opens it, its address, and what is posted, nothing for a page that is got."""

    role: Role
    path: Path
    fields: Callable[[random.Random], Fields] = lambda _: {}


def looks(place: Place, references: FollowerReferences) -> dict[str, Look]:
    """Return every look by its name, which begins with the area."""
    return {
        **_of(Role.ADMINISTRATOR, {"home: everything": "/"}),
        **_of(Role.REVIEWER, {"home: a county": "/"}),
        **_inbox(place),
        **_legal(place),
        **_trail(place),
        **_followers(place, references),
        **_programmes(place),
        **_registrations(place),
        **_reports(place),
    }


def _of(role: Role, pages: Mapping[str, str | Path]) -> dict[str, Look]:
    return {name: Look(role, _fixed(path) if isinstance(path, str) else path) for name, path in pages.items()}


def _fixed(path: str) -> Path:
    return lambda _: path


def _inbox(place: Place) -> dict[str, Look]:
    closed = "/inbox?tab=closed"
    pages: dict[str, str | Path] = {
        "inbox: waiting": "/inbox",
        "inbox: all that run": "/inbox?tab=all",
        "inbox: closed": closed,
        "inbox: closed of a topic": f"{closed}&topic=complaint",
        "inbox: closed of a county": lambda c: f"{closed}&county={_county(c)}",
        "inbox: closed of a topic in a county": lambda c: f"{closed}&topic=legal&county={_county(c)}",
        "inbox: closed of an agent": f"{closed}&agent=agent1",
        "inbox: closed of an agent and a topic": f"{closed}&agent=agent1&topic=legal",
        "inbox: closed in some days": lambda c: f"{closed}&{_period(c, place, 'since', 'until', 7)}",
        "inbox: closed in some days of a county": lambda c: (
            f"{closed}&county={_county(c)}&{_period(c, place, 'since', 'until', 7)}"
        ),
        "inbox: running, opened in some days": "/inbox?tab=all&since=2026-01-01",
        "inbox: everything of a person": lambda c: f"/inbox?tab=person&like={_chat(c, place)}",
        "inbox: one chat": lambda c: f"/inbox/{_chat(c, place)}?tab=closed",
        "inbox: alerts": "/inbox/alerts",
    }
    reviewer: dict[str, str | Path] = {
        "inbox: waiting in one's county": "/inbox",
        "inbox: closed in one's county": closed,
        "inbox: closed of a topic in one's county": f"{closed}&topic=general",
    }
    find = Look(Role.ADMINISTRATOR, _fixed("/inbox/search"), lambda c: {"words": f"KF{_chat(c, place):06d}"})
    return {
        **_of(Role.ADMINISTRATOR, pages),
        **_of(Role.REVIEWER, reviewer),
        **_of(Role.AGENT, {"inbox: mine": "/inbox?tab=mine", "inbox: closed as an agent": closed}),
        "inbox: search by number": find,
    }


def _legal(place: Place) -> dict[str, Look]:
    pages: dict[str, str | Path] = {
        "legal: all cases": "/legal",
        "legal: waiting": "/legal/waiting",
        "legal: of a county": lambda c: f"/legal?county={_county(c)}",
        "legal: of a topic": lambda c: f"/legal?topic=W{c.randrange(1, 16)}",
        "legal: in a status that is common": "/legal?status=completed",
        "legal: in a status that is rare": "/legal?status=returned",
        "legal: a topic in a county, completed": lambda c: f"/legal?topic=W3&county={_county(c)}&status=completed",
        "legal: answering in a county": lambda c: f"/legal?county={_county(c)}&status=answering",
        "legal: a limit within a week": "/legal?due=7",
        "legal: by receipt": lambda c: f"/legal?receipt={_receipt(c, place)}",
        "legal: one case": lambda c: f"/legal/{_receipt(c, place)}",
        "legal: assigning": lambda c: f"/legal/{_receipt(c, place)}/assign",
        "legal: figures of a year": lambda c: f"/legal/statistics?{_period(c, place, 'from', 'to', 365)}",
        "legal: figures of three years": f"/legal/statistics?from={(place.at - timedelta(DAYS)).date()}",
    }
    reviewer: dict[str, str | Path] = {
        "legal: one's county": "/legal",
        "legal: a topic in one's county": "/legal?topic=W5",
        "legal: answering in one's county": "/legal?status=answering",
        "legal: waiting in one's county": "/legal/waiting",
        "legal: figures of a year in one's county": lambda c: (
            f"/legal/statistics?{_period(c, place, 'from', 'to', 365)}"
        ),
    }
    lawyer: dict[str, str | Path] = {
        "legal: one's own cases": "/legal",
        "legal: one's own in a status": "/legal?status=answering",
        "legal: one's own of a topic": "/legal?topic=W5",
    }
    return {**_of(Role.ADMINISTRATOR, pages), **_of(Role.REVIEWER, reviewer), **_of(Role.LAWYER, lawyer)}


def _trail(place: Place) -> dict[str, Look]:
    pages: dict[str, str | Path] = {
        "trail: newest": "/trail",
        "trail: of somebody": "/trail?actor=lawyer3",
        "trail: an action": "/trail?action=legal:case:assign",
        "trail: a record": lambda c: f"/trail?object_id=QG26-0101-{c.randrange(300_000):06d}",
        "trail: a part of a reason": "/trail?reason=来电",
        "trail: a reason that nobody gave": "/trail?reason=没有这样的事由",
        "trail: from an address": "/trail?source=10.0.0.7",
        "trail: somebody and a reason": "/trail?actor=lawyer3&reason=来电",
        "trail: some days": lambda c: f"/trail?{_period(c, place, 'first', 'last', 7)}",
        "trail: a page in the middle": lambda c: f"/trail?before={c.randrange(100, place.rows)}",
    }
    return _of(Role.ADMINISTRATOR, pages)


def _followers(place: Place, references: FollowerReferences) -> dict[str, Look]:
    def who(make: Path) -> Look:
        return Look(Role.ADMINISTRATOR, _fixed("/followers"), lambda c: {"who": make(c)})

    return {
        "followers: find by OpenID": who(_openid),
        "followers: find by a name that a thousand have": who(_name),
        "followers: find by the receipt of a case": who(lambda c: _receipt(c, place)),
        **_of(Role.ADMINISTRATOR, {"followers: one": lambda c: f"/followers/{references.of(_openid(c))}"}),
    }


def _programmes(place: Place) -> dict[str, Look]:
    def one(behind: str) -> Path:
        return lambda c: f"/programmes/{c.choice(place.programmes)}{behind}"

    pages: dict[str, str | Path] = {
        "programmes: list": "/programmes",
        "programmes: of a kind": "/programmes?kind=health_screening",
        "programmes: one": one(""),
        "programmes: a week of slots": one("/slots"),
        "programmes: occupancy": one("/occupancy"),
        "programmes: sites": one("/sites"),
        "programmes: history": one("/history"),
        "programmes: days at the door": "/attendance",
    }
    return _of(Role.ADMINISTRATOR, pages)


def _registrations(place: Place) -> dict[str, Look]:
    def of(query: str) -> Path:
        return lambda c: f"/registrations?programme_id={c.choice(place.programmes)}{query}"

    pages: dict[str, str | Path] = {
        "registrations: list": "/registrations",
        "registrations: pending, longest waiting first": "/registrations?status=pending&sort=oldest",
        "registrations: a programme": of(""),
        "registrations: a programme, pending, ranked": of("&status=pending&sort=ranked"),
        "registrations: a county": lambda c: f"/registrations?county={_county(c)}",
        "registrations: a category in a county": lambda c: f"/registrations?category=outdoor&county={_county(c)}",
    }
    named = Look(Role.ADMINISTRATOR, _fixed("/registrations/search"), lambda c: {"q": _name(c)})
    return {
        **_of(Role.ADMINISTRATOR, pages),
        "registrations: search by a name": named,
        **_of(Role.REVIEWER, {"registrations: one's county": "/registrations"}),
    }


def _reports(place: Place) -> dict[str, Look]:
    def over(path: str, days: int) -> Path:
        return lambda c: f"{path}?{_period(c, place, 'from', 'to', days)}"

    pages: dict[str, str | Path] = {
        "reports: 30 days": over("/reports", 30),
        "reports: a year": over("/reports", 365),
        "reports: messages of a year": over("/reports/messages", 365),
        "reports: chats of a year": over("/reports/chats", 365),
        "reports: a programme": lambda c: (
            f"/reports/programmes/{c.choice(place.programmes)}?{_period(c, place, 'from', 'to', 90)}"
        ),
    }
    reviewer: dict[str, str | Path] = {"reports: a year in one's county": over("/reports", 365)}
    return {**_of(Role.ADMINISTRATOR, pages), **_of(Role.REVIEWER, reviewer)}


def _county(chance: random.Random) -> str:
    return chance.choice(list(County)).code


def _chat(chance: random.Random, place: Place) -> int:
    return chance.randrange(1, place.rows)


def _openid(chance: random.Random) -> str:
    return f"openid-{chance.randrange(500_000)}"


def _name(chance: random.Random) -> str:
    return "".join((chance.choice(SURNAMES), chance.choice(GIVEN), chance.choice(GIVEN)))


def _receipt(chance: random.Random, place: Place) -> str:
    return receipt_of(chance.randrange(place.rows), place.rows, place.at)


def _period(chance: random.Random, place: Place, first: str, last: str, days: int) -> str:
    end: date = place.at.date() - timedelta(days=chance.randrange(DAYS - days))
    return f"{first}={end - timedelta(days=days - 1)}&{last}={end}"
