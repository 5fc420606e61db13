"""Finding a chat by its number, or the chats of somebody by their phone, identity number or receipt number."""

import re
from dataclasses import dataclass

from sqlalchemy import CompoundSelect, Select, select

from bot.inbox.filters import Scope, within
from bot.inbox.models import Chat
from bot.legal.models import LegalCase
from bot.registrations.models import Registration
from bot.registrations.sealing import Sealer
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.identity import IdentityNumber, parse_identity_number
from bot.values.phones import Mobile, parse_mobile
from bot.values.receipts import ReceiptNumber, parse_receipt

_NUMBER = re.compile(r"(?:KF|TS|#)?0*(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundChat:
    """The chat with that number."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class FoundPerson:
    """Somebody's chats; ``chat_id`` is the newest of them."""

    chat_id: int


@dataclass(frozen=True, slots=True)
class FoundNothing:
    """Nobody and nothing within the scope fits; ``understood`` says whether the words can be looked up at all."""

    understood: bool


SearchOutcome = FoundChat | FoundPerson | FoundNothing


class ChatSearch:
    """Looks up by keyed hashes; what was typed is neither stored nor logged."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock) -> None:
        self._database = database
        self._sealer = Sealer(cipher)
        self._clock = clock

    async def find(self, words: str, scope: Scope) -> SearchOutcome:
        """Return what ``words`` name; a chat outside the scope is not found."""
        typed = words.strip()
        async with self._database.reading() as session:
            number = _NUMBER.fullmatch(typed)
            if number is not None:
                wanted = select(Chat.id).where(Chat.id == int(number[1]), *within(scope))
                found = await session.scalar(wanted)
                return FoundNothing(understood=True) if found is None else FoundChat(found)
            owners = self._owners(typed)
            if owners is None:
                return FoundNothing(understood=False)
            wanted = select(Chat.id).where(Chat.openid.in_(owners), *within(scope)).order_by(Chat.id.desc())
            newest = await session.scalar(wanted.limit(1))
            return FoundNothing(understood=True) if newest is None else FoundPerson(newest)

    def _owners(self, typed: str) -> Select[str] | CompoundSelect[str] | None:
        """Return whose registrations or cases are meant; None when it is none of the numbers that are looked up."""
        receipt = parse_receipt(typed)
        if isinstance(receipt, ReceiptNumber):
            of_case = select(LegalCase.openid).where(LegalCase.receipt == str(receipt))
            return select(Registration.openid).where(Registration.receipt == str(receipt)).union(of_case)
        identity = parse_identity_number(typed, self._clock.now().date())
        if isinstance(identity, IdentityNumber):
            subject = self._sealer.subject_hash(identity.text)
            return select(Registration.openid).where(Registration.subject_hash == subject)
        mobile = parse_mobile(typed)
        if isinstance(mobile, Mobile):
            phone = self._sealer.phone_hash(mobile.text)
            return select(Registration.openid).where(Registration.phone_hash == phone)
        return None
