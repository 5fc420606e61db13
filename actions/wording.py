"""How dates, windows and findings are put into fields of texts. Only shapes; the sentences are in flows/."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time

from bot.dialogue.events import Say
from bot.programmes.rules import Finding
from bot.storage.files import FileRefused
from bot.values.problem import FieldValue

WEEKDAYS = "一二三四五六日"


def day_text(day: date) -> str:
    """``6月20日``."""
    return f"{day.month}月{day.day}日"


def day_with_weekday(day: date) -> str:
    """``6月20日（周六）``."""
    return f"{day_text(day)}（周{WEEKDAYS[day.weekday()]}）"


def time_text(moment: time) -> str:
    """``8:30``."""
    return f"{moment.hour}:{moment.minute:02d}"


def moment_text(moment: datetime) -> str:
    """``6月20日8:30``."""
    return f"{day_text(moment.date())}{time_text(moment.time())}"


HINTS: Mapping[str, str] = {
    "age.too_old": "utter_hint_age_too_old",
    "age.too_young": "utter_hint_age_too_young",
    "sex.differs": "utter_hint_sex_differs",
    "sex.unknown": "utter_hint_sex_unknown",
    "interval.too_soon": "utter_hint_interval_too_soon",
}
"""Which text hints at which finding that a person may look at."""


def finding_fields(findings: Sequence[Finding]) -> Mapping[str, FieldValue]:
    """Return the fields of the first finding, days as people read them."""
    fields: dict[str, FieldValue] = {}
    for name, value in findings[0].fields.items():
        fields[name] = day_text(date.fromisoformat(value)) if isinstance(value, str) and len(value) == 10 else value
    return fields


def text_of(value: object) -> str:
    """Return a slot's value as text; empty slots give ``""``."""
    return "" if value is None else str(value)


REFUSED_DOCUMENTS: Mapping[str, str] = {
    "encrypted": "utter_file_locked",
    "too_many_pages": "utter_file_too_long",
    "too_complex": "utter_file_too_long",
}
"""Which text says why a PDF is not taken, by the reason."""


def refusal_of(error: FileRefused, otherwise: str) -> Say:
    """Return what to say about a file that is not taken; ``otherwise`` where the reason has no text of its own."""
    return Say(REFUSED_DOCUMENTS.get(str(error.fields.get("reason")), otherwise))
