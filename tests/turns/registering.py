"""A responder that writes to SQL as flows do: real registrations and legal cases, under the delivery's key."""

import re
import uuid
from datetime import timedelta

from bot.app.records import Records
from bot.legal.deadline_table import DeadlineTable, read_seed
from bot.legal.models import CaseDraft
from bot.programmes.models import ReviewMode
from bot.registrations.outcomes import Duplicate, Submitted
from bot.turns.answers import Answer
from bot.values.clock import SystemClock
from bot.wechat.models import Inbound, OutText
from tests.registrations.factories import BORN, application, number, work_study
from tests.turns.scripted import said

PROGRAMME = work_study(
    open_at=SystemClock().now() - timedelta(days=1),
    close_at=SystemClock().now() + timedelta(days=10),
    service_start=SystemClock().now().date() + timedelta(days=20),
    service_end=SystemClock().now().date() + timedelta(days=50),
    quota_total=1000,
    quota_by_county={},
    review_mode=ReviewMode.BY_STAFF,
    consents=(),
    required_materials=(),
)


async def prepare(records: Records) -> None:
    """Store what registrations and cases need."""
    await records.programmes.create(PROGRAMME, editor="test")
    await DeadlineTable(records.database).seed(read_seed())


class Registering:
    """``报名 <n>`` registers person n, ``咨询`` opens a case; every message advances the dialogue by one.

    ``keyed`` false is the null guard: each run uses a key of its own.
    """

    def __init__(self, records: Records, *, keyed: bool = True) -> None:
        self._records = records
        self._keyed = keyed

    async def respond(self, message: Inbound, stored: bytes) -> Answer:
        """Do what the message asks, once for its key."""
        count, text = int(stored or b"0") + 1, said(message)
        key = f"{message.delivery_key}:1" if self._keyed else uuid.uuid4().hex
        done = await self._done(message.openid, text, key)
        return Answer(message, str(count).encode(), (OutText(f"第{count}条：{done}"),), text)

    def apologise(self, message: Inbound, stored: bytes) -> Answer:
        """Say so."""
        return Answer(message, stored, (OutText("没处理成"),))

    async def _done(self, openid: str, text: str, key: str) -> str:
        if asked := re.fullmatch(r"报名 (\d+)", text):
            return await self._register(openid, int(asked[1]), key)
        if text == "咨询":
            case = await self._records.cases.open_case(CaseDraft(openid=openid, topic="W1", county="sinan"), key)
            return f"已登记 {case.receipt}"
        return "好的"

    async def _register(self, openid: str, serial: int, key: str) -> str:
        form = application(
            serial, PROGRAMME, openid=openid, key=key, id_number=number(serial), birth_date=BORN, consents={}
        )
        outcome = await self._records.registrations.submit(form)
        match outcome:
            case Submitted(receipt):
                return f"已报名 {receipt}"
            case Duplicate():
                return "已经报过名了"
            case _:
                raise AssertionError(outcome)
