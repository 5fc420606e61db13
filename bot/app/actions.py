"""What flows call, by the names that they use."""

from actions.campaigns import CampaignActions
from actions.consents import ConsentActions
from actions.followers import FollowerActions
from actions.health_screening import HealthScreeningActions
from actions.knowledge import KnowledgeActions
from actions.legal import LegalActions
from actions.legal_cases import LegalCaseActions
from actions.materials import MaterialDesk, PictureSource
from actions.people import PeopleActions
from actions.programmes import ProgrammeDesk
from actions.rebooking import RebookingActions
from actions.registrations import RegistrationActions
from actions.times import TimeActions
from actions.work_study import WorkStudyActions
from bot.app.records import Records, build_records, by_words
from bot.dialogue.events import Action, ActionTable
from bot.dialogue.words import Words
from bot.inbox.calendar_table import CalendarTable
from bot.registrations.reasons import ReasonTable
from bot.settings import load_settings
from bot.staff.tasks.service import NoTaskQueue
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import SystemClock
from bot.wechat.client import Media, WeChatApi


def action_table(records: Records, pictures: PictureSource, words: Words) -> ActionTable:
    """Return every action by the name that flows use. ``words`` are those that steer the conversation."""
    desk = ProgrammeDesk(records.programmes, records.clock)
    materials = MaterialDesk(records.registrations, records.files, pictures)
    registrations, followers, consents = records.registrations, records.followers, records.consents
    tables = (
        ConsentActions(records.programmes, consents).table(),
        CampaignActions(records.campaigns.opt_outs, records.campaigns.automatic, records.programmes).table(),
        WorkStudyActions(desk, registrations, consents, followers, materials, records.clock).table(),
        HealthScreeningActions(desk, registrations, followers, records.clock).table(),
        LegalActions(desk, records.cases, records.topics, records.alerts, records.clock).table(),
        LegalCaseActions(records.cases, records.files, pictures).table(),
        RegistrationActions(
            registrations, records.programmes, records.cases, materials, ReasonTable.from_file()
        ).table(),
        RebookingActions(registrations).table(),
        TimeActions(CalendarTable(records.database), records.programmes).table(),
        PeopleActions(records.inbox, records.alerts, words).table(),
        FollowerActions(followers, consents, registrations, records.cases, records.privacy).table(),
        KnowledgeActions(records.knowledge, records.programmes, registrations, records.clock).table(),
    )
    merged: dict[str, Action] = {}
    for table in tables:
        if twice := merged.keys() & table.keys():
            raise ValueError(f"two actions share a name: {sorted(twice)}")
        merged.update(table)
    return merged


def action_names() -> frozenset[str]:
    """Return the names of all actions; nothing is opened for it."""
    keys = FieldCipher.from_setting(FieldCipher.new_setting())
    settings, database = load_settings({}, env_file=None), Database("sqlite+aiosqlite://")
    records = build_records(settings, SystemClock(), keys, database, by_words, NoTaskQueue())
    return frozenset(action_table(records, NoPictures(), Words()))


class NoPictures:
    """Has no pictures."""

    async def picture(self, media_id: str) -> bytes:
        """Raise LookupError for every id."""
        raise LookupError(media_id)


class PlatformPictures:
    """Pictures that the platform keeps for three days."""

    def __init__(self, api: WeChatApi) -> None:
        self._api = api

    async def picture(self, media_id: str) -> bytes:
        """Return the picture's bytes; a video's address is not one. Raises ApiCallFailed."""
        media = await self._api.download_media(media_id)
        return media.content if isinstance(media, Media) else b""
