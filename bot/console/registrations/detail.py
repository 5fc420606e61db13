"""One registration: who it is (masked), what was answered and handed in, and everything around it."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from aiohttp import web

from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.names import Names
from bot.console.registrations.filters import address_of
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.rules import Finding
from bot.registrations.desk import Desk
from bot.registrations.dossier import Dossier
from bot.registrations.errors import UnknownRegistration
from bot.registrations.filters import Filter, Sort
from bot.registrations.sealing import FIELDS
from bot.registrations.statuses import Actor, ActorKind, Status
from bot.registrations.views import HistoryLine
from bot.staff.unmasking import LimitReached, NothingStored, Unmasked, Unmasking, UnmaskingService
from bot.values.problem import Problem

READ: Final = "registrations:application:read"
REVIEW: Final = "registrations:application:review"
UNMASK: Final = "registrations:application:unmask"
ONE: Final = "/registrations/{receipt:[A-Z]{2}[0-9]{2}-[0-9]{4}-[0-9]{4,6}}"
PAGE: Final = "registrations/one.html"
UNIT_NOTE: Final = re.compile(r"list (\d+): ([a-z_]+)", re.ASCII)
"""What the history keeps of a registration that came with a unit's list."""


class RegistrationDetail:
    """The page of one registration, its files, and the single values that may be read in plain."""

    def __init__(self, desk: Desk, unmasking: UnmaskingService) -> None:
        self._desk = desk
        self._unmasking = unmasking

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return nothing: it is reached from the list."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", ONE, self.show, READ),
            Route("POST", f"{ONE}/reveal", self.reveal, UNMASK),
            Route("GET", f"{ONE}/materials", self.materials, REVIEW),
            Route("GET", f"{ONE}/materials/{{material:[0-9]{{1,9}}}}", self.material, REVIEW),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - The list has the tiles.
        """Return nothing."""
        return []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show everything, masked."""
        return await self._page(visit, await dossier_of(visit, self._desk, READ))

    async def reveal(self, visit: Visit) -> web.StreamResponse:
        """Show one value in plain, for a reason that the trail keeps."""
        dossier, form = await dossier_of(visit, self._desk, UNMASK), await visit.form()
        masked = [line.name for line in dossier.answers if line.is_masked]
        field = form.option("field", "内容", [*FIELDS, *(f"answers.{name}" for name in masked)])
        if form.problems:
            return await self._page(visit, dossier, form=form)
        wanted = Unmasking(
            permission=UNMASK,
            object_kind="registration",
            object_id=dossier.view.receipt,
            field=field,
            reason=form.raw("reason"),
            source=visit.source,
            county=dossier.view.county,
        )
        reader = self._desk.records.reader(dossier.view.receipt, field)
        outcome = await self._unmasking.unmask(visit.viewer.username, wanted, reader)
        match outcome:
            case Unmasked(value, left):
                return await self._page(visit, dossier, shown={field: value}, left=left)
            case NothingStored():
                return await self._page(visit, dossier, shown={field: "（没有填）"})
            case LimitReached(per_hour, again_at):
                form.note(
                    "reason", Problem("staff.unmask_limit", {"per_hour": per_hour, "again_at": f"{again_at:%H:%M}"})
                )
                return await self._page(visit, dossier, form=form)
            case Problem():
                form.note("reason", outcome)
                return await self._page(visit, dossier, form=form)

    async def materials(self, visit: Visit) -> web.StreamResponse:
        """Show the files one below the other."""
        dossier = await dossier_of(visit, self._desk, REVIEW)
        return visit.page("registrations/materials.html", dossier=dossier)

    async def material(self, visit: Visit) -> web.StreamResponse:
        """Answer one file, marked with who looks at it; it is kept nowhere on the way."""
        dossier = await dossier_of(visit, self._desk, REVIEW)
        receipt, number = dossier.view.receipt, int(visit.path("material"))
        file = await self._desk.records.show_material(receipt, number, by=actor(visit), source=visit.source)
        headers = {
            "Content-Disposition": f'inline; filename="{receipt}-{number}"',
            "Content-Security-Policy": "sandbox",
            "Cache-Control": "no-store",
        }
        return web.Response(body=file.data, content_type=file.media_type, headers=headers)

    async def _page(
        self,
        visit: Visit,
        dossier: Dossier,
        *,
        form: Form | None = None,
        shown: Mapping[str, str] | None = None,
        left: int | None = None,
    ) -> web.Response:
        view, names = dossier.view, await visit.names()
        return visit.page(
            PAGE,
            status=200 if form is None else 422,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
            dossier=dossier,
            view=view,
            shown=shown or {},
            left=left,
            reasons=self._desk.reasons,
            findings=[as_problem(finding) for finding in dossier.findings],
            history=[
                (line, self._reason(line), _who(names, line), _note(visit, line))
                for line in reversed(dossier.history)
            ],
            may_review=visit.may_touch(REVIEW, county=view.county),
            may_unmask=visit.may_touch(UNMASK, county=view.county),
            following=_following(dossier),
        )

    def _reason(self, line: HistoryLine) -> str:
        return "" if line.reason is None else self._desk.reasons.text(line.reason)


async def dossier_of(visit: Visit, desk: Desk, permission: str) -> Dossier:
    """Return the registration of the address; one out of reach is as if it were not there."""
    try:
        dossier = await desk.dossiers.read(visit.path("receipt"))
    except UnknownRegistration as error:
        raise NotFound from error
    if not visit.may_touch(permission, county=dossier.view.county):
        raise NotFound
    return dossier


def actor(visit: Visit) -> Actor:
    """Return who decides, as the history names them."""
    return Actor(ActorKind.REVIEWER, visit.viewer.username)


def as_problem(finding: Finding) -> Problem:
    """Return a finding with the code of its sentence."""
    return Problem(f"finding.{finding.code}", finding.fields)


def _who(names: Names, line: HistoryLine) -> str:
    match line.actor_kind:
        case ActorKind.FOLLOWER | ActorKind.SYSTEM:
            # Behind these stands an OpenID, which is nobody's name.
            return names.of(line.actor_kind.value)
        case ActorKind.REVIEWER | ActorKind.SITE | ActorKind.LAWYER:
            return names.of(line.actor_id)


def _following(dossier: Dossier) -> str:
    wanted = Filter(programme_id=dossier.view.programme_id, status=Status.PENDING, sort=Sort.OLDEST)
    return address_of(wanted, after=dossier.view.receipt, path="/registrations/next")


def _note(visit: Visit, line: HistoryLine) -> str:
    """Return what was noted; of a registration that a unit made, the list and how the person agreed, in words."""
    found = UNIT_NOTE.fullmatch(line.note)
    return line.note if found is None else f"第 {found[1]} 份名单，{visit.label(found[2], 'authority')}"
