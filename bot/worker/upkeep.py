"""What is due by time: holds and offers that ran out, urgent cases, untold alerts, old rows and results, erasures."""

from bot.followers.privacy import PrivacyService
from bot.followers.service import FollowerService
from bot.inbox.alerts import AlertService
from bot.inbox.feed import ChangeFeed
from bot.inbox.retention import ChatRetention
from bot.legal.service import LegalService
from bot.registrations.service import RegistrationService
from bot.staff.lockout import Lockout
from bot.staff.sign_in import SignInService
from bot.staff.tasks.service import TaskBook
from bot.turns.kept_answers import KeptAnswers
from bot.understanding.review.service import ReviewList


class Upkeep:
    """Runs every minute; each part may be repeated without a second effect."""

    def __init__(
        self,
        registrations: RegistrationService,
        cases: LegalService,
        alerts: AlertService,
        followers: FollowerService,
        privacy: PrivacyService,
        reviews: ReviewList,
        tasks: TaskBook,
        lockout: Lockout,
        sign_in: SignInService,
        chats: ChatRetention,
        changes: ChangeFeed,
        answers: KeptAnswers,
        *,
        review_days: int,
        chat_days: int,
    ) -> None:
        self._registrations = registrations
        self._cases = cases
        self._alerts = alerts
        self._followers = followers
        self._privacy = privacy
        self._reviews = reviews
        self._tasks = tasks
        self._lockout = lockout
        self._sign_in = sign_in
        self._chats = chats
        self._changes = changes
        self._answers = answers
        self._review_days = review_days
        self._chat_days = chat_days

    async def run(self) -> int:
        """Do what is due. Returns 0, so that the worker rests until the next minute."""
        await self._alerts.tell_untold()
        await self._registrations.release_expired()
        await self._registrations.derive_lookups()
        await self._cases.refresh_urgency()
        await self._reviews.purge(self._review_days)
        await self._tasks.purge()
        await self._lockout.forget_old()
        await self._sign_in.forget_old_steps()
        await self._chats.purge(self._chat_days)
        await self._changes.purge()
        await self._answers.forget_old()
        for openid in await self._followers.due_for_erasure():
            await self._privacy.erase(openid, requested_by="unfollowed")
        return 0
