"""Followers: who they are, what they agreed to, and everything that is kept of them, wherever it is kept."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.app.ground import Ground
from bot.campaigns.personal_data import CampaignData
from bot.followers.consents import ConsentService
from bot.followers.finding import FollowerFinder
from bot.followers.personal_data import FollowerData
from bot.followers.privacy import PersonalData, PrivacyService
from bot.followers.service import FollowerService
from bot.inbox.personal_data import InboxData
from bot.legal.personal_data import LegalData
from bot.registrations.personal_data import RegistrationData
from bot.registrations.places import RowPlaceLock
from bot.reports.personal_data import ReportData
from bot.storage.files import PrivateFiles
from bot.turns.kept_answers import KeptAnswerData
from bot.turns.log import TurnLog
from bot.understanding.review.service import ReviewData


@dataclass(frozen=True, slots=True)
class Followers:
    """The services of followers, and the log of what they said."""

    followers: FollowerService
    consents: ConsentService
    turn_log: TurnLog
    privacy: PrivacyService
    finder: FollowerFinder


def build_followers(ground: Ground, files: PrivateFiles, beside: Sequence[PersonalData]) -> Followers:
    """Build them. ``files`` holds what followers handed in; ``beside`` is who keeps personal data outside SQL."""
    database, cipher, clock = ground.database, ground.cipher, ground.clock
    followers, consents = FollowerService(database, cipher, clock), ConsentService(database, clock)
    turn_log = TurnLog(database, cipher)
    # In this order their data are shown and erased.
    holders: tuple[PersonalData, ...] = (
        RegistrationData(database, cipher, clock, RowPlaceLock(), remove_file=files.delete),
        LegalData(database, cipher, clock, remove_file=files.delete),
        InboxData(database, cipher, clock, remove_file=files.delete),
        turn_log,
        KeptAnswerData(database, cipher),
        ReportData(database),
        ReviewData(database, cipher),
        CampaignData(database),
        FollowerData(database, cipher, followers=followers, consents=consents),
        *beside,
    )
    return Followers(
        followers=followers,
        consents=consents,
        turn_log=turn_log,
        privacy=PrivacyService(database, cipher, clock, holders=holders, trail=ground.audit),
        finder=FollowerFinder(database, cipher),
    )
