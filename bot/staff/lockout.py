"""What wrong passwords and codes lead to: the account waits, and so does the address they come from."""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditWriter
from bot.staff.models import AddressFailures, AuditRecord, StaffAccount
from bot.storage.sql import Database
from bot.values.clock import Clock

FAILURES_UNTIL_LOCK = 5
LOCK_FOR = timedelta(minutes=15)
ADDRESS_FAILURES = 30
"""More than for one account: a whole office may share an address."""
ADDRESS_WINDOW = timedelta(minutes=15)
IPV6_NETWORK_BITS = 64


class Lockout:
    """Counts failures inside the caller's transaction."""

    def __init__(self, database: Database, clock: Clock, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    def locked_until(self, row: StaffAccount) -> datetime | None:
        """Return until when nothing is tried for this account; ``None`` when it is not locked."""
        until = row.locked_until
        return until if until is not None and until > self._clock.now() else None

    async def failed(self, session: AsyncSession, row: StaffAccount, source: str, what: str = "") -> datetime | None:
        """Count a failure of a locked row; return until when the account is locked by it, if it is.

        ``what`` says in the trail what was wrong, when it was not the password at sign-in.
        """
        row.failed_logins += 1
        record = AuditRecord(row.username, "staff:session:refused", "staff_account", row.username, what, source)
        await self._trail.append(session, record)
        if row.failed_logins < FAILURES_UNTIL_LOCK:
            return None
        row.failed_logins, row.locked_until = 0, self._clock.now() + LOCK_FOR
        return row.locked_until

    async def address_blocked_until(self, session: AsyncSession, source: str) -> datetime | None:
        """Return until when nothing is tried for this address; ``None`` when it may."""
        row = await session.get(AddressFailures, network_of(source))
        if row is None or row.failures < ADDRESS_FAILURES:
            return None
        until = row.since + ADDRESS_WINDOW
        return until if until > self._clock.now() else None

    async def address_failed(self, session: AsyncSession, source: str) -> None:
        """Count a failure of an address; what is older than the window does not count any more."""
        now, network = self._clock.now(), network_of(source)
        wanted = select(AddressFailures).where(AddressFailures.source == network).with_for_update()
        row = (await session.scalars(wanted)).one_or_none()
        if row is None:
            try:
                async with session.begin_nested():
                    session.add(AddressFailures(source=network, failures=1, since=now))
            except IntegrityError:
                row = (await session.scalars(wanted)).one()
            else:
                return
        if row.since + ADDRESS_WINDOW <= now:
            row.failures, row.since = 0, now
        row.failures += 1

    async def forget_old(self) -> int:
        """Delete the counts of addresses that mean nothing any more; return how many."""
        async with self._database.transaction() as session:
            gone = await session.execute(
                delete(AddressFailures)
                .where(AddressFailures.since < self._clock.now() - ADDRESS_WINDOW)
                .returning(AddressFailures.source)
            )
            return len(gone.all())


def network_of(source: str) -> str:
    """Return what stands for an address when failures are counted: itself, or for IPv6 its network of 64 bits.

    A single line has that many IPv6 addresses of its own. What is no address stands for itself.
    """
    try:
        address = ip_address(source)
    except ValueError:
        return source
    if isinstance(address, IPv6Address):
        return str(address.ipv4_mapped or IPv6Network((address, IPV6_NETWORK_BITS), strict=False))
    return str(address)
