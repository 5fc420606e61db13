"""Between a case's row and its plain values: sealing on the way in, opening on the way out."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement

from bot.legal.models import (
    CaseChanges,
    CaseDraft,
    CaseStatus,
    CaseSummary,
    CaseView,
    ContactWay,
    LegalCase,
    Scope,
    TopicSource,
)
from bot.storage.encryption import FieldCipher

NAME = "legal_cases.name"
PHONE = "legal_cases.phone"
STORY = "legal_cases.story"
FACTS = "legal_cases.facts"
EVIDENCE_TEXT = "legal_case_evidence.text"

WAITING_ORDER: Final = (LegalCase.waiting_rank, LegalCase.id)
"""The order of what nobody has taken: urgent ones first, then group matters, nearest limit, oldest."""


def within(scope: Scope) -> list[ColumnElement[bool]]:
    """Return the conditions that keep a query over cases inside a scope."""
    pairs = ((LegalCase.county, scope.county), (LegalCase.assigned_to, scope.lawyer))
    return [column == value for column, value in pairs if value is not None]


def seal_or_none(cipher: FieldCipher, text: str, context: str) -> bytes | None:
    """Return ``text`` sealed, or None when there is nothing to seal."""
    return cipher.seal(text, context) if text else None


def open_or_empty(cipher: FieldCipher, sealed: bytes | None, context: str) -> str:
    """Return the text inside, or ``""`` when there is nothing."""
    return "" if sealed is None else cipher.open(sealed, context)


def seal_facts(cipher: FieldCipher, facts: Mapping[str, str]) -> bytes:
    """Return the answers to the topic's questions, sealed as one JSON text."""
    return cipher.seal(json.dumps(dict(facts), ensure_ascii=False, sort_keys=True), FACTS)


def open_facts(cipher: FieldCipher, row: LegalCase) -> dict[str, str]:
    """Return the answers to the topic's questions, by fact key."""
    facts = json.loads(cipher.open(row.facts_sealed, FACTS))
    return {str(key): str(value) for key, value in facts.items()}


def new_row(cipher: FieldCipher, draft: CaseDraft, key: str, receipt: str, now: datetime) -> LegalCase:
    """Return the row of a new case, its time limits not yet marked. An anonymous case keeps no name."""
    return LegalCase(
        receipt=receipt,
        openid=draft.openid,
        idempotency_key=key,
        status=CaseStatus.PENDING.value,
        topic=draft.topic,
        topic_source=draft.topic_source.value,
        topic_confidence_percent=draft.topic_confidence_percent,
        is_anonymous=draft.is_anonymous,
        county=draft.county,
        employer=draft.employer,
        people_count=max(1, draft.people_count),
        contact_way=draft.contact_way.value,
        callback_times=list(draft.callback_times),
        fears_retaliation=draft.fears_retaliation,
        name_sealed=seal_or_none(cipher, "" if draft.is_anonymous else draft.name, NAME),
        phone_sealed=seal_or_none(cipher, draft.phone, PHONE),
        story_sealed=seal_or_none(cipher, draft.story, STORY),
        facts_sealed=seal_facts(cipher, draft.facts),
        contact_attempts=0,
        created_at=now,
        updated_at=now,
    )


def apply_changes(cipher: FieldCipher, row: LegalCase, changes: CaseChanges) -> list[str]:
    """Write the changes into the row and return the names of the fields they touch."""
    if changes.topic is not None:
        row.topic, row.topic_source = changes.topic, TopicSource.CORRECTED.value
    row.county = row.county if changes.county is None else changes.county
    row.employer = row.employer if changes.employer is None else changes.employer
    row.people_count = row.people_count if changes.people_count is None else max(1, changes.people_count)
    row.contact_way = row.contact_way if changes.contact_way is None else changes.contact_way.value
    if changes.callback_times is not None:
        row.callback_times = list(changes.callback_times)
    _apply_sealed(cipher, row, changes)
    return [name for name in CaseChanges.__dataclass_fields__ if getattr(changes, name) is not None]


def _apply_sealed(cipher: FieldCipher, row: LegalCase, changes: CaseChanges) -> None:
    if changes.name is not None:
        row.name_sealed = seal_or_none(cipher, changes.name, NAME)
    if changes.phone is not None:
        row.phone_sealed = seal_or_none(cipher, changes.phone, PHONE)
    if changes.story is not None:
        row.story_sealed = seal_or_none(cipher, changes.story, STORY)
    if changes.facts is not None:
        row.facts_sealed = seal_facts(cipher, {**open_facts(cipher, row), **changes.facts})


def summary_of(row: LegalCase) -> CaseSummary:
    """Return what lists show of a case; nothing sealed is opened."""
    return CaseSummary(
        receipt=row.receipt,
        openid=row.openid,
        status=CaseStatus(row.status),
        topic=row.topic,
        county=row.county,
        people_count=row.people_count,
        is_group=row.is_group,
        is_urgent=row.is_urgent,
        is_anonymous=row.is_anonymous,
        fears_retaliation=row.fears_retaliation,
        nearest_due_on=row.nearest_due_on,
        assigned_to=row.assigned_to,
        outcome=row.outcome,
        created_at=row.created_at,
    )


def open_case_row(cipher: FieldCipher, row: LegalCase, evidence_count: int) -> CaseView:
    """Return a case opened for its owner or its lawyer."""
    return CaseView(
        summary=summary_of(row),
        employer=row.employer,
        contact_way=ContactWay(row.contact_way),
        name=open_or_empty(cipher, row.name_sealed, NAME),
        phone=open_or_empty(cipher, row.phone_sealed, PHONE),
        callback_times=tuple(row.callback_times),
        story=open_or_empty(cipher, row.story_sealed, STORY),
        facts=open_facts(cipher, row),
        evidence_count=evidence_count,
    )
