"""The long work of staff."""

from collections.abc import Mapping

from bot.app.campaigns import campaign_results_of
from bot.app.records import Records
from bot.campaigns.export import KIND as CAMPAIGN_RESULTS
from bot.campaigns.export import CampaignExport
from bot.campaigns.figures import CampaignComparison
from bot.campaigns.platform_tags import PlatformTags
from bot.campaigns.tag_work import KIND as TAG_PULL
from bot.campaigns.tag_work import TagPull
from bot.console.texts import Texts
from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.loader import load_catalog
from bot.followers.export import EXPORT as FOLLOWER_EXPORT
from bot.followers.export import FollowerExport
from bot.registrations import bulk_work, exporting, moving_work, unit_work
from bot.registrations.answers import AnswerSheet
from bot.registrations.desk import Desk, Ground, desk_on
from bot.registrations.moving import SlotMoving
from bot.registrations.moving_work import SlotMoveTask
from bot.registrations.places import RowPlaceLock
from bot.reports.export import KIND as REPORTS_EXPORT
from bot.reports.export import ReportExport
from bot.reports.overview import Overview
from bot.staff.checks import TRAIL_CHECK
from bot.staff.tasks.leases import TaskLeases
from bot.staff.tasks.runner import TaskRunner
from bot.staff.tasks.running import TaskHandler
from bot.staff.trail_export import TRAIL_EXPORT, TrailExport


def registration_desk(records: Records, catalog: FlowCatalog) -> Desk:
    """Return what staff work on registrations with; the flows know the labels of answers."""
    ground = Ground(
        database=records.database,
        cipher=records.cipher,
        clock=records.clock,
        lock=RowPlaceLock(),
        audit=records.audit,
        files=records.files,
        task_files=records.task_files,
        scratch=records.settings.data_dir / "scratch",
    )
    return desk_on(ground, AnswerSheet(catalog.slots), Texts.load().label)


def task_handlers(records: Records, tags: PlatformTags | None = None) -> Mapping[str, TaskHandler]:
    """Return what does the long work of staff, by the kinds of tasks; without ``tags`` none asks the platform."""
    overview, label = Overview(records.database), Texts.load().label
    desk = registration_desk(records, load_catalog(records.settings.flows_dir))
    export = FollowerExport(
        records.database,
        records.cipher,
        records.clock,
        records.privacy,
        trail=records.audit,
        files=records.files,
        task_files=records.task_files,
    )
    trail_export = TrailExport(
        records.database, records.clock, records.trail_search, records.task_files, trail=records.audit
    )
    return {
        **({} if tags is None else {TAG_PULL: TagPull(tags)}),
        REPORTS_EXPORT: ReportExport(
            overview,
            CampaignComparison(records.database, records.campaigns.lists),
            records.task_files,
            records.clock,
            label,
        ),
        FOLLOWER_EXPORT: export,
        TRAIL_EXPORT: trail_export,
        TRAIL_CHECK: records.trail_checks,
        CAMPAIGN_RESULTS: CampaignExport(
            campaign_results_of(records),
            records.task_files,
            records.clock,
        ),
        bulk_work.KIND: desk.bulk_task,
        moving_work.KIND: SlotMoveTask(
            SlotMoving(records.database, records.clock, RowPlaceLock(), trail=records.audit)
        ),
        exporting.KIND: desk.export_task,
        unit_work.KIND: desk.unit_list_task,
    }


def task_runner_of(records: Records, tags: PlatformTags | None = None) -> TaskRunner:
    """Return what runs tasks in this process."""
    return TaskRunner(task_leases(records), task_handlers(records, tags))


def task_leases(records: Records) -> TaskLeases:
    return TaskLeases(records.database, records.cipher, records.clock)
