"""The tables of registrations: the registration itself, its history, holds, files, notices and remembered calls.

Name, identity number, phone and all answers are sealed; the masked copies beside them are for lists. What staff do
with many registrations at once (views, bulk runs, unit lists) has its tables in ``desk_models``.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.registrations.statuses import AGAIN_ALLOWED
from bot.storage.sql import Base

_COUNTS_AS_ONE = "status NOT IN ({})".format(", ".join(f"'{status}'" for status in sorted(AGAIN_ALLOWED)))

_NAME_UNHASHED = "name_hash IS NULL AND name_sealed IS NOT NULL"
_WAITING = "status = 'waitlisted'"
_SENT_BACK = "status = 'returned'"
_SCREENED = "kind = 'health_screening'"


def _marked(column: str) -> Index:
    # Few rows have a mark, and a list of those is found among them, not by going through all others. The mark itself
    # stands at the end, as SQLite looks at it once more and would read the row for it.
    return Index(
        f"ix_registrations_{column}",
        "status",
        "created_at",
        "id",
        "county",
        "programme_id",
        column,
        sqlite_where=text(f"{column} IS 1"),
        postgresql_where=text(f"{column} IS TRUE"),
    )


class Registration(Base):
    """One application. ``place_taken`` says whether it occupies its slot, or its share of the quota.

    ``waitlist_seq`` numbers a waiting list (``waitlist_queue``) in the order of arrival and is never given twice;
    the position people see is the rank among those still waiting. ``qualified`` registrations may move up by
    themselves. ``changes`` counts the history rows. ``name_hash``, ``category`` (of the worker) and the two ``has_…``
    are derived from what is sealed beside them, so that lists find and filter without opening anything; ``rank`` is
    the ``priority`` turned round, so that one index goes upwards by rank and arrival.
    """

    __tablename__ = "registrations"
    __table_args__ = (
        Index(
            "uq_registrations_subject",
            "programme_id",
            "subject_hash",
            unique=True,
            sqlite_where=text(_COUNTS_AS_ONE),
            postgresql_where=text(_COUNTS_AS_ONE),
        ),
        UniqueConstraint("waitlist_queue", "waitlist_seq"),
        Index(None, "slot_id", "place_taken"),
        Index(None, "openid", "created_at"),
        # The lists of staff: each is a merge of one seek for each status along one of these. What lists are filtered
        # by besides stands at the end, so that the index answers by itself.
        Index("ix_registrations_list", "status", "created_at", "id"),
        Index("ix_registrations_list_county", "county", "status", "created_at", "id", "programme_id", "category"),
        Index("ix_registrations_list_programme", "programme_id", "status", "created_at", "id", "county", "category"),
        Index(
            "ix_registrations_list_ranked",
            "programme_id",
            "status",
            "rank",
            "created_at",
            "id",
            "county",
            "category",
        ),
        Index("ix_registrations_list_category", "category", "status", "created_at", "id", "county", "programme_id"),
        _marked("has_findings"),
        _marked("has_duplicates"),
        _marked("needs_review"),
        # How full things are is counted in these alone.
        Index(
            "ix_registrations_taken",
            "programme_id",
            "slot_id",
            "county",
            "post_id",
            sqlite_where=text("place_taken IS 1"),
            postgresql_where=text("place_taken IS TRUE"),
        ),
        Index(
            "ix_registrations_waiting",
            "programme_id",
            "slot_id",
            "county",
            "post_id",
            "offer_expires_at",
            sqlite_where=text(_WAITING),
            postgresql_where=text(_WAITING),
        ),
        Index("ix_registrations_name", "name_hash", "created_at", "id"),
        Index(
            "ix_registrations_late",
            "created_at",
            "id",
            "returned_until",
            "county",
            "programme_id",
            sqlite_where=text(_SENT_BACK),
            postgresql_where=text(_SENT_BACK),
        ),
        # Screenings are counted as a whole, in the order of this. The kind stands at the end, as SQLite looks at it
        # once more and would read the row for it.
        Index(
            "ix_registrations_screened",
            "programme_id",
            "status",
            "county",
            "kind",
            sqlite_where=text(_SCREENED),
            postgresql_where=text(_SCREENED),
        ),
        Index(
            "ix_registrations_without_name_hash",
            "id",
            sqlite_where=text(_NAME_UNHASHED),
            postgresql_where=text(_NAME_UNHASHED),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    receipt: Mapped[str] = mapped_column(String(24), unique=True)
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id"))
    programme_version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(24))
    status: Mapped[str] = mapped_column(String(12))
    openid: Mapped[str] = mapped_column(String(80))
    relation: Mapped[str] = mapped_column(String(24))
    subject_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    phone_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    name_hash: Mapped[str | None] = mapped_column(String(64))
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    name_masked: Mapped[str] = mapped_column(String(40))
    id_number_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    id_number_masked: Mapped[str] = mapped_column(String(24))
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_masked: Mapped[str] = mapped_column(String(24))
    answers_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    county: Mapped[str | None] = mapped_column(String(24))
    category: Mapped[str | None] = mapped_column(String(24))
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("programme_slots.id"))
    post_id: Mapped[int | None] = mapped_column(ForeignKey("programme_posts.id"))
    place_taken: Mapped[bool] = mapped_column(default=False)
    qualified: Mapped[bool] = mapped_column(default=False)
    needs_review: Mapped[bool] = mapped_column(default=False)
    has_findings: Mapped[bool] = mapped_column(default=False, server_default=false())
    has_duplicates: Mapped[bool] = mapped_column(default=False, server_default=false())
    waitlist_queue: Mapped[str | None] = mapped_column(String(48))
    waitlist_seq: Mapped[int | None]
    offer_expires_at: Mapped[datetime | None]
    offers_lapsed: Mapped[int] = mapped_column(default=0)
    priority: Mapped[int] = mapped_column(default=0)
    rank: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    findings: Mapped[list[str]] = mapped_column(JSON)
    consents: Mapped[dict[str, int]] = mapped_column(JSON)
    returned_items: Mapped[list[str]] = mapped_column(JSON)
    returned_until: Mapped[datetime | None]
    checked_in_at: Mapped[datetime | None]
    served_on: Mapped[date | None]
    erased_at: Mapped[datetime | None]
    changes: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class StatusChange(Base):
    """One line of the history; rows are only added. Where ``source`` equals ``target`` something else changed.

    ``note`` never holds values of the applicant, only names of fields and what staff write to each other.
    """

    __tablename__ = "registration_changes"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor_kind: Mapped[str] = mapped_column(String(12))
    actor_id: Mapped[str] = mapped_column(String(80))
    source: Mapped[str] = mapped_column(String(12))
    target: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str | None] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text)


class Hold(Base):
    """A place in a slot kept for somebody who is still answering. After ``expires_at`` it counts for nothing."""

    __tablename__ = "registration_holds"
    __table_args__ = (UniqueConstraint("programme_id", "openid"), Index(None, "slot_id", "expires_at"))

    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id"))
    slot_id: Mapped[int] = mapped_column(ForeignKey("programme_slots.id"))
    openid: Mapped[str] = mapped_column(String(80))
    expires_at: Mapped[datetime]


class Material(Base):
    """A file that was handed in; the bytes are in the private files under ``file_id``."""

    __tablename__ = "registration_materials"

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    code: Mapped[str] = mapped_column(String(40))
    file_id: Mapped[str] = mapped_column(String(80), unique=True)
    received_at: Mapped[datetime]


class Notice(Base):
    """Something to tell the applicant, planned in the transaction that made it true and sent by the worker.

    ``version`` is the ordinal of the history row behind it, so that the same event is never announced twice.
    """

    __tablename__ = "registration_notices"
    __table_args__ = (
        UniqueConstraint("registration_id", "kind", "version"),
        Index(None, "sent_at", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    kind: Mapped[str] = mapped_column(String(24))
    version: Mapped[int]
    openid: Mapped[str] = mapped_column(String(80), index=True)
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    due_at: Mapped[datetime]
    leased_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    channel: Mapped[str | None] = mapped_column(String(24))
    given_up: Mapped[str | None] = mapped_column(String(60))


class ReceiptCounter(Base):
    """The last serial number given out for a prefix on a day."""

    __tablename__ = "registration_receipt_counters"

    series: Mapped[str] = mapped_column(String(16), primary_key=True)
    last: Mapped[int]


class RememberedCall(Base):
    """A write that was done, with its outcome, so that repeating it gives the same answer and changes nothing."""

    __tablename__ = "registration_calls"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    call: Mapped[str] = mapped_column(String(24))
    outcome_kind: Mapped[str | None] = mapped_column(String(24))
    outcome: Mapped[Any] = mapped_column(JSON, nullable=True)
    at: Mapped[datetime] = mapped_column(index=True)
