"""The pure rules of campaigns: what an account may use, when it may send, when it must stop, what follows what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bot.campaigns.models import CampaignState, SendChannel

MASS_PER_MONTH = 4
"""How many mass messages one follower gets in a calendar month; the platform fails the fifth."""
MASS_LIST_MIN, MASS_LIST_MAX = 2, 10_000
MASS_CALLS_PER_MINUTE = 60
MASS_CALLS_PER_DAY = 100
SINGLES_PER_BATCH = 200
SINGLES_PER_MINUTE_MAX = 3_000
WINDOW = timedelta(hours=48)
"""How long after a message of theirs a follower can be sent customer-service messages."""
CLIENT_ID_LIFE = timedelta(hours=23)
"""The platform knows a clientmsgid again for a day; an hour is left for clocks that differ."""
TEMPLATE_ID_LIFE = timedelta(minutes=8)
"""It knows a template message's client_msg_id again for ten minutes."""
FEWEST_FOR_RATE = 20
EVERY_DAY = "1111111"

AccountKind = Literal["service", "subscription"]

_OF_SUBSCRIPTION = frozenset(
    {
        SendChannel.MASS_ALL,
        SendChannel.MASS_TAG,
        SendChannel.CUSTOMER,
        SendChannel.PUBLISH,
        SendChannel.PUBLISH_SEND,
    }
)

_MAY_BECOME: Mapping[CampaignState, frozenset[CampaignState]] = {
    CampaignState.DRAFT: frozenset({CampaignState.CHECKED, CampaignState.CANCELLED}),
    CampaignState.CHECKED: frozenset({CampaignState.DRAFT, CampaignState.APPROVED, CampaignState.CANCELLED}),
    CampaignState.APPROVED: frozenset({CampaignState.DRAFT, CampaignState.SCHEDULED, CampaignState.CANCELLED}),
    CampaignState.SCHEDULED: frozenset({CampaignState.SENDING, CampaignState.PAUSED, CampaignState.CANCELLED}),
    CampaignState.SENDING: frozenset(
        {CampaignState.PAUSED, CampaignState.SENT, CampaignState.FAILED, CampaignState.CANCELLED}
    ),
    CampaignState.PAUSED: frozenset({CampaignState.SCHEDULED, CampaignState.SENDING, CampaignState.CANCELLED}),
    CampaignState.SENT: frozenset({CampaignState.SENDING}),
    CampaignState.FAILED: frozenset({CampaignState.SENDING}),
    CampaignState.CANCELLED: frozenset(),
}


def may_become(state: CampaignState, target: CampaignState) -> bool:
    """Say whether a campaign in ``state`` may go to ``target``."""
    return target in _MAY_BECOME[state]


def channels_of(account: AccountKind) -> frozenset[SendChannel]:
    """Return the channels that an account of this kind has."""
    return frozenset(SendChannel) if account == "service" else _OF_SUBSCRIPTION


@dataclass(frozen=True, slots=True)
class SendingHours:
    """When a campaign may go out: minutes of the day, and a letter ``1`` for each weekday from Monday."""

    open_minute: int = 8 * 60
    close_minute: int = 21 * 60
    weekdays: str = EVERY_DAY

    def is_open(self, now: datetime) -> bool:
        """Say whether sending is allowed at ``now``, which is local."""
        minute = now.hour * 60 + now.minute
        return self.weekdays[now.weekday()] == "1" and self.open_minute <= minute < self.close_minute

    def next_opening(self, now: datetime) -> datetime:
        """Return ``now`` when it is open, else the next moment at which it is."""
        if self.is_open(now):
            return now
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for days in range(8):
            opening = midnight + timedelta(days=days, minutes=self.open_minute)
            if opening > now and self.weekdays[opening.weekday()] == "1":
                return opening
        raise ValueError("hours that never open")

    @property
    def is_possible(self) -> bool:
        """Whether there is any minute at which sending is allowed."""
        return "1" in self.weekdays and 0 <= self.open_minute < self.close_minute <= 24 * 60


def month_of(moment: datetime) -> str:
    """Return the calendar month in which a mass send counts, such as ``2026-06``."""
    return f"{moment:%Y-%m}"


def fails_too_often(failed: int, tried: int, max_percent: int) -> bool:
    """Say whether so many of those tried failed that sending must stop."""
    return tried >= FEWEST_FOR_RATE and failed * 100 > tried * max_percent


def chunk_size(total: int, max_size: int) -> int:
    """Return how many recipients a chunk gets, so that all are about equal and none is left alone."""
    chunks = max(1, -(-total // max_size))
    return max(1, -(-total // chunks))


def batch_max(channel: SendChannel, total: int) -> int:
    """Return how many recipients one batch of ``channel`` holds at most."""
    match channel:
        case SendChannel.MASS_LIST:
            return MASS_LIST_MAX
        case SendChannel.MASS_ALL | SendChannel.MASS_TAG:
            return max(1, total)
        case _:
            return SINGLES_PER_BATCH


def time_left(left: int, done: int, elapsed: timedelta) -> timedelta | None:
    """Return how long ``left`` will take at the rate so far; ``None`` while there is no rate."""
    return None if not done or not left else elapsed * (left / done)
