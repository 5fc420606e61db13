"""Personal values of a registration: sealed for storing, masked for lists, hashed for finding the same person."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from json import dumps, loads

from bot.programmes.models import ProgrammeKind
from bot.programmes.snapshots import JsonValue, from_plain, to_plain
from bot.registrations.models import Registration
from bot.registrations.outcomes import Particulars
from bot.storage.encryption import FieldCipher
from bot.values.identity import Sex
from bot.values.names import PersonName
from bot.values.texts import mask_number, normalise

FIELDS = ("name", "phone", "id_number")
"""The values that staff may unmask one at a time; the answers are the fourth, as a whole."""
CATEGORY_SLOTS: Mapping[ProgrammeKind, str] = {
    ProgrammeKind.WORK_STUDY: "ws_parent_category",
    ProgrammeKind.HEALTH_SCREENING: "hs_category",
}
"""The answer that says what kind of worker it is; lists are filtered by a plain copy of it, which is not personal."""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What is inside the sealed answers."""

    answers: Mapping[str, JsonValue] = field(default_factory=dict)
    birth_date: date | None = None
    sex: Sex | None = None


class Sealer:
    """Writes a person's values into a registration's sealed columns and opens them again."""

    def __init__(self, cipher: FieldCipher) -> None:
        self._cipher = cipher

    def subject_hash(self, id_number: str | None) -> str | None:
        """Return the keyed hash by which the same person is found; the same in every programme."""
        return None if id_number is None else self._cipher.lookup_hash(id_number.upper(), "registration.subject")

    def phone_hash(self, phone: str) -> str:
        """Return the keyed hash by which registrations with the same phone are counted."""
        return self._cipher.lookup_hash(phone, "registration.phone")

    def name_hash(self, name: str) -> str:
        """Return the keyed hash by which registrations are found by a name, whatever its blanks and dots."""
        return self._cipher.lookup_hash(_plain_name(name), "registration.name")

    def write(self, registration: Registration, particulars: Particulars) -> None:
        """Put ``particulars`` into ``registration``: sealed, masked and hashed."""
        registration.name_hash = self.name_hash(particulars.name)
        registration.name_sealed = self._cipher.seal(particulars.name, "registration.name")
        registration.name_masked = _masked_name(particulars.name)
        registration.phone_sealed = self._cipher.seal(particulars.phone, "registration.phone")
        registration.phone_masked = mask_number(particulars.phone)
        registration.phone_hash = self.phone_hash(particulars.phone)
        number = particulars.id_number
        registration.id_number_sealed = (
            None if number is None else self._cipher.seal(number, "registration.id_number")
        )
        registration.id_number_masked = "" if number is None else mask_number(number)
        registration.subject_hash = self.subject_hash(number)
        sheet = _Sheet(particulars.answers, particulars.birth_date, particulars.sex)
        plain = dumps(to_plain(sheet), ensure_ascii=False)
        registration.answers_sealed = self._cipher.seal(plain, "registration.answers")
        registration.category = category_of(registration.kind, particulars.answers)

    def derive(self, registration: Registration) -> None:
        """Write the columns that lists look into, for a row from before there were any; raises SealBroken."""
        name = self.open_field(registration, "name")
        registration.name_hash = None if name is None else self.name_hash(name)
        registration.category = category_of(registration.kind, self.open_answers(registration))

    def read(self, registration: Registration) -> Particulars:
        """Return everything in plain; raises SealBroken. What was erased comes back empty."""
        sheet = self._sheet(registration)
        return Particulars(
            name=self.open_field(registration, "name") or "",
            phone=self.open_field(registration, "phone") or "",
            id_number=self.open_field(registration, "id_number"),
            birth_date=sheet.birth_date,
            sex=sheet.sex,
            answers=sheet.answers,
        )

    def open_field(self, registration: Registration, name: str) -> str | None:
        """Return one of ``FIELDS`` in plain, or ``None`` where there is none."""
        sealed: bytes | None = getattr(registration, f"{name}_sealed")
        return None if sealed is None else self._cipher.open(sealed, f"registration.{name}")

    def open_answers(self, registration: Registration) -> Mapping[str, JsonValue]:
        """Return the answers in plain; raises SealBroken."""
        return self._sheet(registration).answers

    def _sheet(self, registration: Registration) -> _Sheet:
        if registration.answers_sealed is None:
            return _Sheet()
        return from_plain(_Sheet, loads(self._cipher.open(registration.answers_sealed, "registration.answers")))


def _masked_name(name: str) -> str:
    # A legal name has two characters or more; a single one, from an old file, is hidden wholly.
    return PersonName(name).masked() if len(name) > 1 else "*"


def category_of(kind: str, answers: Mapping[str, JsonValue]) -> str | None:
    """Return the category of worker that the answers name, ``None`` where they name none."""
    value = answers.get(CATEGORY_SLOTS.get(ProgrammeKind(kind), ""))
    return value if isinstance(value, str) and value else None


def _plain_name(name: str) -> str:
    return "".join(char for char in normalise(name).casefold() if char.isalpha())
