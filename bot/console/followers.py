"""A follower's data: found, looked at masked, opened one field at a time, copied for them, erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, assert_never

from aiohttp import web

from bot.console.forms import Form
from bot.console.pages import county_name
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.followers.consents import ConsentService
from bot.followers.dossier import Entry, masked_entries, value_at
from bot.followers.errors import NoSuchFollower
from bot.followers.export import EXPORT
from bot.followers.finding import FOUND_MAX, FollowerFinder, Latest
from bot.followers.privacy import ERASE, PrivacyService, holder_hash
from bot.followers.references import PATTERN, FollowerReferences
from bot.followers.service import FollowerService
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import LIVE
from bot.staff.rules import REASON_MAX_CHARS, check_reason
from bot.staff.tasks.service import TaskBook
from bot.staff.unmasking import FieldReader, LimitReached, NothingStored, Unmasked, Unmasking, UnmaskingService
from bot.storage.encryption import FieldCipher
from bot.values.clock import Clock
from bot.values.problem import Problem
from bot.values.texts import mask_number

READ, UNMASK = "privacy:follower:read", "privacy:follower:unmask"
FOLLOWER: Final = f"/followers/{{reference:{PATTERN}}}"
TYPED_TO_ERASE: Final = "删除"
SHOWN_REGISTRATIONS: Final = 100
SHOWN_OF_FOUND: Final = 3
SUMMED_UP: Final = (
    "receipt",
    "purpose",
    "topic",
    "kind",
    "intent",
    "status",
    "created_at",
    "opened_at",
    "received_at",
    "given_at",
    "at",
)
LABELS_OF: Final[Mapping[str, Sequence[str]]] = {
    "status": ("registration_status", "case_status"),
    "intent": ("intent",),
    "purpose": ("consent_purpose",),
    "channel": ("consent_channel",),
    "topic": ("legal_topic", "queue"),
    "contact_way": ("contact_way",),
    "outcome": ("case_outcome",),
}
"""Which tables of words a field's codes stand in."""


@dataclass(frozen=True, slots=True)
class FollowerServices:
    """What the pages need of the business."""

    finder: FollowerFinder
    followers: FollowerService
    consents: ConsentService
    registrations: RegistrationService
    privacy: PrivacyService
    unmasking: UnmaskingService
    tasks: TaskBook


@dataclass(frozen=True, slots=True)
class Found:
    """A line of several followers that one search leads to."""

    reference: str
    openid_masked: str
    registrations: Sequence[Latest]


class FollowerPages:
    """Search, one follower, and the steps of their rights. A follower stands in addresses as a sealed reference."""

    def __init__(self, services: FollowerServices, cipher: FieldCipher, clock: Clock) -> None:
        self._services = services
        self._references = FollowerReferences(cipher)
        self._cipher = cipher
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("职工个人信息", "/followers", READ, "管理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/followers", self.begin, READ),
            Route("POST", "/followers", self.find, READ),
            Route("GET", FOLLOWER, self.show, READ),
            Route("POST", f"{FOLLOWER}/reveal", self.reveal, UNMASK),
            Route("GET", f"{FOLLOWER}/export", self.ask_export, EXPORT),
            Route("POST", f"{FOLLOWER}/export", self.export, EXPORT),
            Route("GET", f"{FOLLOWER}/erase", self.ask_erase, ERASE),
            Route("POST", f"{FOLLOWER}/erase", self.erase, ERASE),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return []

    # Finding

    async def begin(self, visit: Visit) -> web.StreamResponse:
        """Ask who it is about."""
        return visit.page("followers/find.html", found=None)

    async def find(self, visit: Visit) -> web.StreamResponse:
        """Go to the one follower that fits, or list those who do. What was typed does not stand in an address."""
        form = await visit.form()
        typed = form.text("who", "要找的人", max_chars=64)
        found: list[str] = []
        if not form.problems:
            outcome = await self._services.finder.find(typed, self._clock.now().date())
            if isinstance(outcome, Problem):
                form.note("who", outcome)
            else:
                found = outcome
        if len(found) == 1:
            return visit.to(f"/followers/{self._references.of(found[0])}")
        latest = await self._services.finder.latest(found, each=SHOWN_OF_FOUND)
        lines = [Found(self._references.of(openid), mask_number(openid), latest[openid]) for openid in found]
        return visit.page(
            "followers/find.html",
            status=422 if form.problems else 200,
            found=lines,
            is_cut=len(lines) == FOUND_MAX,
            problems=form.problems,
            typed=form.typed(),
        )

    # Looking

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show everything that is kept, masked."""
        return await self._page(visit)

    async def reveal(self, visit: Visit) -> web.StreamResponse:
        """Show one field in plain, for a reason that the trail keeps."""
        form = await visit.form()
        field = form.text("field", "字段")
        reason = form.raw("reason").strip()
        if form.problems:
            return await self._page(visit, form=form)
        openid = self._openid(visit)
        wanted = Unmasking(
            permission=UNMASK,
            object_kind="follower",
            object_id=holder_hash(self._cipher, openid),
            field=field,
            reason=reason,
            source=visit.source,
        )
        outcome = await self._services.unmasking.unmask(visit.viewer.username, wanted, self._reader(openid, field))
        match outcome:
            case Unmasked():
                return await self._page(visit, shown={field: outcome.value}, left=outcome.left)
            case NothingStored():
                raise NoSuchFollower
            case LimitReached():
                again = f"{outcome.again_at:%H:%M}"
                form.note(field, Problem("unmask.limit", {"per_hour": outcome.per_hour, "again": again}))
            case Problem():
                form.note(field, outcome)
            case _:
                assert_never(outcome)
        return await self._page(visit, form=form)

    # A copy

    async def ask_export(self, visit: Visit) -> web.StreamResponse:
        """Say what the copy is, and ask for the reason."""
        return await self._ask_page(visit, "followers/export.html")

    async def export(self, visit: Visit) -> web.StreamResponse:
        """Make the copy, as a task."""
        form, reason = await self._reason(visit)
        if form.problems:
            return await self._ask_page(visit, "followers/export.html", form)
        params = {"openid": self._openid(visit), "reason": reason, "source": visit.source}
        await self._services.tasks.start(
            EXPORT, owner=visit.viewer.username, params=params, key=form.key, source=visit.source
        )
        return visit.to("/tasks", "followers.export_started")

    # Erasing

    async def ask_erase(self, visit: Visit) -> web.StreamResponse:
        """Say what will be gone and what stays."""
        return await self._ask_page(visit, "followers/erase.html")

    async def erase(self, visit: Visit) -> web.StreamResponse:
        """Erase everything, once the word was typed."""
        form, reason = await self._reason(visit)
        if form.raw("typed").strip() != TYPED_TO_ERASE:
            form.note("typed", Problem("followers.type_to_erase", {"word": TYPED_TO_ERASE}))
        if form.problems:
            return await self._ask_page(visit, "followers/erase.html", form)
        report = await self._services.privacy.erase(
            self._openid(visit), requested_by=visit.viewer.username, reason=reason, source=visit.source
        )
        return visit.to("/followers", "followers.erased", rows=report.total)

    # Parts

    def _openid(self, visit: Visit) -> str:
        return self._references.openid(visit.path("reference"))

    def _reader(self, openid: str, field: str) -> FieldReader:
        async def read(_session: object) -> str | None:
            # The subjects open their parts themselves; only what was asked for leaves this function.
            return value_at(await self._services.privacy.export(openid), field)

        return read

    async def _reason(self, visit: Visit) -> tuple[Form, str]:
        form = await visit.form()
        reason = form.text("reason", "事由", max_chars=REASON_MAX_CHARS)
        if "reason" not in form.problems:
            form.note("reason", check_reason(reason))
        return form, reason

    async def _page(
        self, visit: Visit, *, form: Form | None = None, shown: dict[str, str] | None = None, left: int | None = None
    ) -> web.Response:
        openid = self._openid(visit)
        follower = await self._services.followers.find(openid)
        export = await self._services.privacy.export(openid)
        sections = {entry.key: entry for entry in masked_entries(export)}
        return visit.page(
            "followers/show.html",
            status=200 if form is None else 422,
            base=f"/followers/{visit.path('reference')}",
            follower=follower,
            openid_entry=sections.pop("openid"),
            sections=[entry for key, entry in sections.items() if key != "exported_at"],
            consents=await self._services.consents.consents_of(openid),
            registrations=await self._services.registrations.find_for(openid, limit=SHOWN_REGISTRATIONS),
            shown=shown or {},
            summary_of=partial(_summary, visit),
            worded=partial(_worded, visit),
            left=left,
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
        )

    async def _ask_page(self, visit: Visit, template: str, form: Form | None = None) -> web.Response:
        openid = self._openid(visit)
        registrations = await self._services.registrations.find_for(openid, limit=SHOWN_REGISTRATIONS)
        entries: tuple[Entry, ...] = masked_entries(await self._services.privacy.export(openid))
        values = {
            "base": f"/followers/{visit.path('reference')}",
            "sections": [entry for entry in entries if entry.shown is None],
            "files": len(await self._services.privacy.files(openid)),
            "live": [view for view in registrations if view.status in LIVE],
            "word": TYPED_TO_ERASE,
            "problems": form.problems if form is not None else {},
            "typed": form.typed() if form is not None else {},
        }
        status = 200 if form is None else 422
        if visit.wants_fragment:
            return visit.part(template, "panel", status=status, **values)
        return visit.page(template, status=status, **values)


def _summary(visit: Visit, entries: Sequence[Entry]) -> str:
    """Return a line that tells one record from another: what it is, how it stands, and when."""
    known = {entry.key: entry for entry in entries if entry.shown}
    return " · ".join(_worded(visit, known[key]) for key in SUMMED_UP if key in known) or "……"


def _worded(visit: Visit, entry: Entry) -> str:
    """Return a harmless value in words where there are any."""
    shown = entry.shown or ""
    if entry.is_masked:
        return shown
    if entry.key == "county":
        return county_name(shown)
    return next(
        (label for kind in LABELS_OF.get(entry.key, ()) if (label := visit.label(shown, kind)) != shown), shown
    )
