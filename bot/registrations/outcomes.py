"""What the services take and answer: closed sets of frozen values, to be matched exhaustively.

No outcome holds a personal value, because outcomes are remembered to answer a repeated call.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time

from bot.programmes.rules import Finding
from bot.programmes.snapshots import JsonValue
from bot.registrations.statuses import Status
from bot.values.identity import Sex

# What callers hand in


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A finished form. Personal values are plain here and sealed when stored.

    ``id_number`` is the normalised number of the person the registration is for (the student, the screened worker);
    it may be missing where the service needs none. ``last_served`` is what they say about the last time (the first
    day of a period where only the period is known); earlier registrations are looked up besides. ``relation`` says
    who fills it in (``self``, ``parent``, ``child``, ``union`` …). ``answers`` holds every other field by slot name.
    ``consents``: purpose → consent id.
    With ``accept_waiting`` a full programme puts the person on the waiting list instead of answering ``Full``.
    """

    programme_id: str
    openid: str
    key: str
    name: str
    phone: str
    id_number: str | None = None
    birth_date: date | None = None
    sex: Sex | None = None
    last_served: date | None = None
    county: str | None = None
    slot_id: int | None = None
    post_id: int | None = None
    relation: str = "self"
    answers: Mapping[str, JsonValue] = field(default_factory=dict)
    consents: Mapping[str, int] = field(default_factory=dict)
    accept_waiting: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What to change in a registration; ``None`` leaves a field as it is. ``answers`` are merged by name.

    A new ``id_number`` comes with its ``birth_date`` and ``sex``.
    """

    name: str | None = None
    phone: str | None = None
    id_number: str | None = None
    birth_date: date | None = None
    sex: Sex | None = None
    county: str | None = None
    slot_id: int | None = None
    post_id: int | None = None
    answers: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Particulars:
    """A registration's own values, opened for their owner (to review, edit or prefill)."""

    name: str
    phone: str
    id_number: str | None
    birth_date: date | None
    sex: Sex | None
    answers: Mapping[str, JsonValue]


# Places


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot with what is free in it now. ``waiting`` people are on its list."""

    slot_id: int
    site_id: int
    site_name: str
    county: str
    day: date
    start: time
    end: time
    free: int
    waiting: int


@dataclass(frozen=True, slots=True)
class FreePost:
    """A post with the places that nobody was given yet. People decide on them, so it is no promise."""

    post_id: int
    unit: str
    title: str
    county: str
    places: int
    free: int


@dataclass(frozen=True, slots=True)
class Held:
    """The place is kept until ``expires_at``; an earlier hold in the same programme is given up for it."""

    token: str
    slot_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Full:
    """No place. ``alternatives`` are the nearest free slots; ``waitlist_open`` says whether waiting is possible."""

    alternatives: tuple[FreeSlot, ...]
    waiting: int
    waitlist_open: bool


@dataclass(frozen=True, slots=True)
class NotOpen:
    """The programme takes no registrations now: it opens at ``opens_at``, or it closed at ``closed_at``."""

    opens_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Gone:
    """The slot or post does not exist (any more), is closed or over, or is not of this programme."""

    alternatives: tuple[FreeSlot, ...]


HoldOutcome = Held | Full | NotOpen | Gone

# Submitting


@dataclass(frozen=True, slots=True)
class Submitted:
    """Stored. ``status`` is approved, pending or waitlisted; ``missing`` lists codes of files still to hand in."""

    receipt: str
    status: Status
    waitlist_position: int | None
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The person is registered in this programme already.

    ``receipt`` is only told to the one who made that registration (``None``: somebody else did). ``editable``: it
    can be continued instead of making a new one.
    """

    receipt: str | None
    status: Status
    editable: bool


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Consents without which nothing is stored. Codes such as ``consent.sensitive``."""

    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotOnline:
    """A law keeps this from being done online (under 14; under 16 in work); a person can be asked. Nothing stored."""

    findings: tuple[Finding, ...]


SubmitOutcome = Submitted | Duplicate | Incomplete | NotOnline | NotOpen | Full | Gone

# Later on


@dataclass(frozen=True, slots=True)
class Promoted:
    """Somebody on a waiting list was offered a place, to be confirmed before ``offer_expires_at``."""

    receipt: str
    offer_expires_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """Stored. ``review_again``: a person checks it once more. ``promoted`` got the place that became free."""

    receipt: str
    status: Status
    waitlist_position: int | None
    review_again: bool
    promoted: tuple[Promoted, ...]


@dataclass(frozen=True, slots=True)
class Cancelled:
    receipt: str
    promoted: tuple[Promoted, ...]


@dataclass(frozen=True, slots=True)
class TooLate:
    """The time for doing it by oneself ended at ``deadline``; staff still can."""

    deadline: datetime


@dataclass(frozen=True, slots=True)
class NotPossible:
    """Not in this status."""

    status: Status


@dataclass(frozen=True, slots=True)
class NotFound:
    """This follower has no registration with that receipt."""


ChangeOutcome = Changed | Full | Gone | TooLate | NotPossible | Duplicate | NotFound
CancelOutcome = Cancelled | TooLate | NotPossible | NotFound


@dataclass(frozen=True, slots=True)
class Resubmitted:
    """Back to review. ``missing`` lists codes of files still to hand in."""

    receipt: str
    missing: tuple[str, ...]


ResubmitOutcome = Resubmitted | NotPossible | NotFound


@dataclass(frozen=True, slots=True)
class Accepted:
    """The offered place is confirmed."""

    receipt: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The place went on; the registration is cancelled and can be made anew."""

    receipt: str
    promoted: tuple[Promoted, ...]


@dataclass(frozen=True, slots=True)
class OfferGone:
    """There is no offer any more. A waiting registration keeps waiting; ``waitlist_position`` is its place now."""

    status: Status
    waitlist_position: int | None


AcceptOutcome = Accepted | OfferGone | NotFound
DeclineOutcome = Declined | OfferGone | NotFound


@dataclass(frozen=True, slots=True)
class Attached:
    """The file belongs to the registration now. ``missing`` lists codes of files still to hand in.

    ``file_id`` is the file that was added, which of two files handed in with one key is the first.
    """

    receipt: str
    code: str
    missing: tuple[str, ...]
    file_id: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class TooMany:
    """The registration has as many files as the programme allows."""

    limit: int


@dataclass(frozen=True, slots=True)
class UnknownMaterial:
    """The programme asks for no such file. ``wanted`` lists the codes it asks for."""

    wanted: tuple[str, ...]


AttachOutcome = Attached | TooMany | UnknownMaterial | NotPossible | NotFound


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a unit had registered for the person is the follower's own now."""

    receipts: tuple[str, ...]


ClaimOutcome = Claimed | NotFound


@dataclass(frozen=True, slots=True)
class Moved:
    """Staff moved the registration to ``status``. ``promoted`` got the place that became free."""

    receipt: str
    status: Status
    promoted: tuple[Promoted, ...] = ()


@dataclass(frozen=True, slots=True)
class NoPlace:
    """Nothing is free: ``what`` is ``total``, ``county``, ``post`` or ``slot``."""

    what: str


ApproveOutcome = Moved | NoPlace
TakeBackOutcome = Moved | NoPlace


@dataclass(frozen=True, slots=True)
class AlreadyIn:
    """The person was checked in before, ``since`` then."""

    receipt: str
    since: datetime


CheckInOutcome = Moved | AlreadyIn


@dataclass(frozen=True, slots=True)
class Released:
    """What ran out of time: how many holds and offers, and who moved up."""

    holds: int
    offers: int
    promoted: tuple[Promoted, ...]
