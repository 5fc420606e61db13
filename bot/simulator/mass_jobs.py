"""Mass-send jobs: who received what, and what the account is told of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from bot.simulator import pushes
from bot.simulator.bubbles import Bubble
from bot.simulator.models import Channel, Follower

if TYPE_CHECKING:
    from bot.simulator.core import PlatformCore

MAX_PER_MONTH = 4


@dataclass(slots=True)
class MassJob:
    """One job. ``received`` is the ledger: the OpenIDs that got the message."""

    msg_id: int
    client_id: str
    at: datetime
    openids: list[str]
    bubble: Bubble
    is_article: bool = False
    status: str = "SENDING"
    received: list[str] = field(default_factory=list)


def run_job(platform: "PlatformCore", job: MassJob) -> None:
    """Hand the message to everybody who may get it, and tell the account soon afterwards.

    The next of ``platform.mass_verdicts`` (``send fail``, ``err(10001)`` …) makes the job fail as a whole.
    """
    verdict = platform.mass_verdicts.popleft() if platform.mass_verdicts else "send success"
    reached = _reached(platform, job) if verdict == "send success" else []
    job.status = "SEND_SUCCESS" if verdict == "send success" else "SEND_FAIL"
    job.received = [follower.openid for follower in reached]
    if len(reached) <= platform.config.mass_shown_max:
        for follower in reached:
            platform.show(follower.openid, Channel.MASS, job.bubble)
    counts = {
        "TotalCount": len(job.openids),
        "FilterCount": len(reached),
        "SentCount": len(reached),
        "ErrorCount": len(job.openids) - len(reached),
    }
    if job.openids and platform.config.tells_of_mass_jobs:
        platform.tell_later(job.openids[0], pushes.mass_finished(job.msg_id, verdict, counts))


def _reached(platform: "PlatformCore", job: MassJob) -> list[Follower]:
    month, received = f"{job.at:%Y-%m}", platform.mass_received
    reached: list[Follower] = []
    for openid in job.openids:
        follower = platform.followers.find(openid)
        # The fifth mass message of a calendar month fails for that follower only.
        had = received.get((openid, month), 0)
        if follower is not None and follower.subscribed and had < MAX_PER_MONTH:
            received[openid, month] = had + 1
            reached.append(follower)
    return reached
