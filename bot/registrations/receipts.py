"""Receipt numbers such as ``QG26-0713-0042``: kind, day of application, serial number of that day."""

from collections.abc import Mapping
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import ProgrammeKind
from bot.registrations.models import ReceiptCounter
from bot.registrations.upserts import insert_or
from bot.values.receipts import build_receipt

PREFIXES: Mapping[ProgrammeKind, str] = {
    ProgrammeKind.WORK_STUDY: "QG",
    ProgrammeKind.HEALTH_SCREENING: "JK",
    ProgrammeKind.LEGAL_CONSULTATION: "FL",
}


async def next_receipt(session: AsyncSession, kind: ProgrammeKind, today: date) -> str:
    """Return a number that nobody else gets: its counter stays locked until the transaction ends.

    Take it after every place lock, and as late as possible, because all applications of a kind pass here.
    """
    series = f"{PREFIXES[kind]}{today:%y-%m%d}"
    statement = insert_or(session, ReceiptCounter).values(series=series, last=1)
    counted = statement.on_conflict_do_update(
        index_elements=["series"], set_={"last": ReceiptCounter.last + 1}
    ).returning(ReceiptCounter.last)
    serial = (await session.execute(counted)).scalar_one()
    return str(build_receipt(PREFIXES[kind], today, serial))
