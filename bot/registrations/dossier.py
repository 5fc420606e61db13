"""One registration with everything around it, as a reviewer needs it to decide; personal values stay masked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Post, PostRow, Programme
from bot.programmes.rows import post_of, programme_row
from bot.programmes.rules import Finding, consents_needed
from bot.registrations.answers import AnswerLine, AnswerSheet
from bot.registrations.correcting import Mistake, last_mistake
from bot.registrations.doubles import Double, absences, doubles_of
from bot.registrations.errors import UnknownRegistration
from bot.registrations.filters import Mark
from bot.registrations.journal import is_of_a_unit
from bot.registrations.listing import marks_of
from bot.registrations.materials import facts
from bot.registrations.missing_items import MissingItem, items_of
from bot.registrations.models import Material, Registration
from bot.registrations.outcomes import Particulars
from bot.registrations.prechecks import Prechecks
from bot.registrations.sealing import Sealer
from bot.registrations.steps import Step, steps_from
from bot.registrations.views import HistoryLine, RegistrationView, history_of, views_of
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True)
class MaterialLine:
    """A file that was handed in, under the name that the programme gives it."""

    id: int
    code: str
    label: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Dossier:
    """Everything around one registration.

    ``findings`` are what the rules say today, ``view.findings`` what they said when it was made. ``absences`` counts
    how often the person did not come. ``steps`` lists what a reviewer can decide, ``askable`` what it can be sent
    back for, ``posts`` what an approved work-study place can be given.
    """

    view: RegistrationView
    programme: Programme
    answers: tuple[AnswerLine, ...]
    materials: tuple[MaterialLine, ...]
    findings: tuple[Finding, ...]
    doubles: tuple[Double, ...]
    absences: int
    history: tuple[HistoryLine, ...]
    consents_missing: tuple[str, ...]
    steps: tuple[Step, ...]
    mistake: Mistake | None
    askable: tuple[MissingItem, ...]
    posts: tuple[Post, ...]
    marks: tuple[Mark, ...]
    by_unit: bool
    is_erased: bool


class DossierReader:
    """Puts dossiers together."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, sheet: AnswerSheet) -> None:
        self._database = database
        self._sealer = Sealer(cipher)
        self._prechecks = Prechecks(self._sealer, clock)
        self._clock = clock
        self._sheet = sheet

    async def read(self, receipt: str) -> Dossier:
        """Return the dossier; raises UnknownRegistration, SealBroken."""
        today = self._clock.now().date()
        async with self._database.reading() as session:
            row = (await session.scalars(select(Registration).where(Registration.receipt == receipt))).one_or_none()
            if row is None:
                raise UnknownRegistration(receipt=receipt)
            [view] = await views_of(session, self._sealer, today, [row])
            programme = (await programme_row(session, row.programme_id)).document
            particulars = self._sealer.read(row)
            doubles = await doubles_of(session, row)
            posts = await _posts(session, programme.id)
            needed = consents_needed(programme, facts(particulars, today))
            history = await history_of(session, receipt)
            mistake = last_mistake(history, has_come=row.checked_in_at is not None)
            return Dossier(
                view=view,
                programme=programme,
                answers=self._sheet.lines(particulars.answers, programme.choice_labels),
                materials=await _materials(session, row, programme),
                findings=() if row.erased_at else await self._findings(session, programme, particulars),
                doubles=doubles,
                absences=absences(doubles),
                history=history,
                consents_missing=tuple(code for code in needed if code not in row.consents),
                steps=steps_from(
                    view.status,
                    needs_review=row.needs_review,
                    has_come=row.checked_in_at is not None,
                    has_places=programme.kind.has_places,
                    has_posts=bool(posts),
                    has_mistake=mistake is not None,
                    is_due=view.slot is None or view.slot.day <= self._clock.now().date(),
                ),
                mistake=mistake,
                askable=items_of(programme),
                posts=posts,
                marks=marks_of(row, self._clock.now()),
                by_unit=is_of_a_unit(row.openid),
                is_erased=row.erased_at is not None,
            )

    async def _findings(
        self, session: AsyncSession, programme: Programme, particulars: Particulars
    ) -> tuple[Finding, ...]:
        past = await self._prechecks.past_of(session, particulars.id_number)
        return self._prechecks.findings(programme, particulars, past)


async def _materials(session: AsyncSession, row: Registration, programme: Programme) -> tuple[MaterialLine, ...]:
    labels = {rule.code: rule.label for rule in programme.required_materials}
    query = select(Material).where(Material.registration_id == row.id).order_by(Material.received_at, Material.id)
    files: Sequence[Material] = (await session.scalars(query)).all()
    return tuple(
        MaterialLine(file.id, file.code, labels.get(file.code, file.code), file.received_at) for file in files
    )


async def _posts(session: AsyncSession, programme_id: str) -> tuple[Post, ...]:
    query = select(PostRow).where(PostRow.programme_id == programme_id, PostRow.closed.is_(False))
    rows: Sequence[PostRow] = (await session.scalars(query.order_by(PostRow.county, PostRow.id))).all()
    return tuple(post_of(post) for post in rows)
