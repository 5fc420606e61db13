"""What a programme still lacks before followers may see it. Pure: it is told what there is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.programmes.models import Programme, ProgrammeKind
from bot.values.problem import FieldValue, Problem

RECIPIENTS = "{recipients}"
NEEDED_CONSENTS: Mapping[ProgrammeKind, tuple[str, ...]] = {
    ProgrammeKind.WORK_STUDY: ("general", "sensitive", "third_party"),
    ProgrammeKind.HEALTH_SCREENING: ("general", "sensitive", "third_party"),
    ProgrammeKind.LEGAL_CONSULTATION: ("general", "sensitive"),
}
"""The consents that the flow of each service asks for."""


class Section(StrEnum):
    """The parts of a programme that are edited each on a page of its own."""

    BASICS = "basics"
    PLACES = "places"
    PEOPLE = "people"
    MATERIALS = "materials"
    CONSENTS = "consents"
    CHOICES = "choices"
    TEXTS = "texts"
    RETENTION = "retention"
    SITES = "sites"
    SLOTS = "slots"
    POSTS = "posts"


@dataclass(frozen=True, slots=True)
class Contents:
    """What stands beside the document: how many there are that are open. Slots count from now on."""

    sites: int = 0
    posts: int = 0
    slots: int = 0
    slots_outside: int = 0
    """Open slots on days outside the period of the service."""


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that is missing, where to put it right, and whether it keeps the programme from being opened."""

    code: str
    section: Section
    blocks: bool = True
    fields: Mapping[str, FieldValue] = field(default_factory=dict)

    @property
    def problem(self) -> Problem:
        return Problem(self.code, self.fields)


_Check = Callable[[Programme, Contents, datetime], Lack | None]


def lacks(programme: Programme, contents: Contents, now: datetime) -> tuple[Lack, ...]:
    """Return everything that is missing, what blocks first."""
    found = [lack for check in _CHECKS if (lack := check(programme, contents, now)) is not None]
    return tuple(sorted(found, key=lambda lack: not lack.blocks))


def _over(programme: Programme, _contents: Contents, now: datetime) -> Lack | None:
    return Lack("programme.lacks.window_over", Section.BASICS) if programme.close_at <= now else None


def _service_over(programme: Programme, _contents: Contents, now: datetime) -> Lack | None:
    return Lack("programme.lacks.service_over", Section.BASICS) if programme.service_end < now.date() else None


def _contact(programme: Programme, _contents: Contents, _now: datetime) -> Lack | None:
    return Lack("programme.lacks.contact", Section.TEXTS) if not programme.contact.strip() else None


def _notice(programme: Programme, _contents: Contents, _now: datetime) -> Lack | None:
    return Lack("programme.lacks.notice", Section.TEXTS) if not programme.notice_text.strip() else None


def _elsewhere(programme: Programme, _contents: Contents, _now: datetime) -> Lack | None:
    if programme.elsewhere_text.strip():
        return None
    return Lack("programme.lacks.elsewhere", Section.TEXTS, blocks=False)


def _consents(programme: Programme, _contents: Contents, _now: datetime) -> Lack | None:
    there = {consent.code for consent in programme.consents if consent.text.strip()}
    missing = [code for code in NEEDED_CONSENTS[programme.kind] if code not in there]
    if not missing:
        return None
    return Lack("programme.lacks.consents", Section.CONSENTS, fields={"codes": "、".join(missing)})


def _recipients(programme: Programme, _contents: Contents, _now: datetime) -> Lack | None:
    if any(RECIPIENTS in consent.text and not consent.recipients for consent in programme.consents):
        return Lack("programme.lacks.recipients", Section.CONSENTS)
    return None


def _sites(programme: Programme, contents: Contents, _now: datetime) -> Lack | None:
    if programme.kind.books_slots and not contents.sites:
        return Lack("programme.lacks.sites", Section.SITES)
    return None


def _slots(programme: Programme, contents: Contents, _now: datetime) -> Lack | None:
    if programme.kind.books_slots and not contents.slots:
        return Lack("programme.lacks.slots", Section.SLOTS)
    return None


def _slots_outside(_programme: Programme, contents: Contents, _now: datetime) -> Lack | None:
    if not contents.slots_outside:
        return None
    fields = {"slots": contents.slots_outside}
    return Lack("programme.lacks.slots_outside", Section.SLOTS, blocks=False, fields=fields)


def _posts(programme: Programme, contents: Contents, _now: datetime) -> Lack | None:
    if programme.kind is ProgrammeKind.WORK_STUDY and not contents.posts:
        return Lack("programme.lacks.posts", Section.POSTS)
    return None


def _quota(programme: Programme, _contents: Contents, _now: datetime) -> Lack | None:
    if programme.kind is ProgrammeKind.WORK_STUDY and programme.quota_total is None:
        return Lack("programme.lacks.quota", Section.PLACES, blocks=False)
    return None


_CHECKS: tuple[_Check, ...] = (
    _over,
    _service_over,
    _contact,
    _notice,
    _elsewhere,
    _consents,
    _recipients,
    _sites,
    _slots,
    _slots_outside,
    _posts,
    _quota,
)
