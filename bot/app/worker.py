"""The worker with every background job."""

import asyncio
import uuid
from collections.abc import Mapping
from functools import partial

from bot.app.assistant import Bot
from bot.app.campaigns import campaign_pictures_of, platform_drafts_of, platform_tags_of, unused_pictures_of
from bot.campaigns.batches import Batches
from bot.campaigns.pace import Pace
from bot.campaigns.publish_reports import PublishReports
from bot.campaigns.publishing import Publisher
from bot.campaigns.reconciling import Reconciler
from bot.campaigns.sending import BatchSender
from bot.campaigns.stopping import Stops
from bot.dialogue.outcomes import Spoken
from bot.inbox.feed import ChangeFeed
from bot.inbox.outbound import OutboundQueue
from bot.inbox.pictures import PictureQueue
from bot.inbox.retention import ChatRetention
from bot.reports.chat_rollups import ChatRollups
from bot.reports.rollups import TurnRollups
from bot.staff.tasks.late import LateHandlers
from bot.staff.tasks.leases import TaskLeases
from bot.staff.tasks.runner import TaskRunner
from bot.staff.tasks.running import TaskHandler
from bot.turns.replies import as_outgoing
from bot.wechat.mass import MassApi
from bot.wechat.publishing import PublishApi
from bot.worker.automatic import AutomaticSender
from bot.worker.campaigns import CampaignWorker
from bot.worker.chat_pictures import ChatPictures
from bot.worker.chats import ChatAnswers
from bot.worker.log import LogMover
from bot.worker.outbox import OutboxRelay, Outcome
from bot.worker.pending import PendingSweeper
from bot.worker.registrations import RegistrationNotices
from bot.worker.review import ReviewCollector
from bot.worker.service import Job, Listener, Worker
from bot.worker.shards import ShardLeases
from bot.worker.tasks import StaffTasks
from bot.worker.upkeep import Upkeep

RATING_RESPONSE = "utter_rate_service"
HANDED_BACK_RESPONSE = "utter_handed_back"
DAY_S = 86_400.0
NOT_NOW_PAUSE_S = 1.0
"""How long the outbox rests when the platform takes nothing at all."""


def worker_id() -> str:
    """Return a name for this worker process, unique for good."""
    return uuid.uuid4().hex


def worker_of(bot: Bot, name: str) -> Worker:
    """Return the worker with every background job."""
    records, redis, clock = bot.records, bot.redis, bot.records.clock
    leases = ShardLeases(redis, name, clock)
    relay = OutboxRelay(redis, bot.api, records.cipher, clock)
    mover = LogMover(redis, records.turn_log, records.cipher, ReviewCollector(records.turn_log, records.reviews))
    sweeper = PendingSweeper(redis, bot.turns, records.cipher, clock)
    outbound = OutboundQueue(records.database, records.cipher, clock)
    pictures = ChatPictures(PictureQueue(records.database, clock), outbound, records.files, bot.api, clock)
    answers = ChatAnswers(
        outbound,
        relay,
        pictures,
        clock,
        rating=as_outgoing(bot.renderer.render([Spoken(RATING_RESPONSE)])),
        handed_back=as_outgoing(bot.renderer.render([Spoken(HANDED_BACK_RESPONSE)])),
        template_id=records.settings.wechat.status_template,
    )
    notices = RegistrationNotices(
        records.notices, relay, bot.renderer, clock, template_id=records.settings.wechat.status_template
    )
    upkeep = Upkeep(
        records.registrations,
        records.cases,
        records.alerts,
        records.followers,
        records.privacy,
        records.reviews,
        records.tasks,
        records.lockout,
        records.sign_in,
        ChatRetention(records.database, clock, remove_file=records.files.delete),
        ChangeFeed(records.database, clock),
        records.kept_answers,
        review_days=records.settings.review_days,
        chat_days=records.settings.chat_days,
    )

    campaigns = campaign_worker_of(bot)
    automatic = AutomaticSender(records.campaigns.automatic, relay)
    task_leases = TaskLeases(records.database, records.cipher, records.clock)
    task_runner = TaskRunner(task_leases, LateHandlers(partial(_task_handlers, bot)))
    staff_tasks = StaffTasks(bot.task_stream, task_leases, task_runner)

    async def relayed() -> int:
        counts = await relay.relay(leases.held)
        if set(counts) == {Outcome.LATER}:
            await asyncio.sleep(NOT_NOW_PAUSE_S)
        return sum(counts.values())

    return Worker(
        leases,
        (
            Job("outbox", relayed, rest_s=0.05),
            Job("turn log", lambda: mover.move(leases.held), rest_s=0.5),
            Job("pending messages", lambda: sweeper.sweep(leases.held), rest_s=2.0),
            Job("chat answers", answers.send, rest_s=0.5),
            Job("chat pictures", pictures.fetch, rest_s=1.0),
            Job("registration notices", notices.send, rest_s=2.0),
            Job("staff tasks", staff_tasks.tell_again, rest_s=2.0),
            Job("campaigns", campaigns.start_due, rest_s=0.5),
            Job("publications", campaigns.publish, rest_s=1.0),
            Job("campaign reports", campaigns.reconcile, rest_s=1.0),
            Job("automatic plans", automatic.plan, rest_s=60.0),
            Job("automatic messages", automatic.send, rest_s=2.0),
            Job("campaign sweep", campaigns.sweep, rest_s=15.0),
            Job("unused pictures", unused_pictures_of(bot).remove, rest_s=DAY_S),
            Job("left drafts", platform_drafts_of(bot).remove_left, rest_s=DAY_S),
            Job("upkeep", upkeep.run, rest_s=60.0),
            Job("trail", records.trail_checks.check_if_due, rest_s=600.0),
            Job("turns by day", TurnRollups(records.database, clock).renew, rest_s=60.0),
            Job("chats by day", ChatRollups(records.database, clock).renew, rest_s=60.0),
        ),
        (Listener("staff tasks", staff_tasks.listen), Listener("campaign batches", campaigns.listen)),
    )


def _task_handlers(bot: Bot) -> Mapping[str, TaskHandler]:
    # Workbooks, unit lists and a second reading of the flows take 8 MB, which only long work of staff needs.
    from bot.app.tasks import task_handlers

    return task_handlers(bot.records, platform_tags_of(bot))


def campaign_worker_of(bot: Bot) -> CampaignWorker:
    """Return what sends campaigns in this process."""
    records, mass, publishing = bot.records, MassApi(bot.api.client), PublishApi(bot.api.client)
    batches = Batches(records.database, records.clock)
    pictures = campaign_pictures_of(records)
    stops = Stops(records.database, records.clock, records.campaigns.service)
    return CampaignWorker(
        bot.batch_stream,
        records.campaigns.service,
        batches,
        BatchSender(batches, Pace(bot.redis), stops, mass, bot.api, records.clock, pictures=pictures),
        stops,
        Reconciler(records.database, records.clock, mass),
        Publisher(records.campaigns.publications, stops, mass, publishing, pictures=pictures),
        PublishReports(records.database, records.clock, records.campaigns.publications, publishing),
    )
