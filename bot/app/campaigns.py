"""What the console, the worker and the command line build of campaigns alike."""

from bot.app.assistant import Bot
from bot.app.records import Records
from bot.campaigns.calls import CampaignCalls
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.platform_drafts import PlatformDrafts
from bot.campaigns.platform_tags import PlatformTags
from bot.campaigns.publication_calls import PublicationCalls
from bot.campaigns.results import CampaignResults
from bot.campaigns.unused_pictures import UnusedPictures
from bot.wechat.mass import MassApi
from bot.wechat.publishing import PublishApi
from bot.wechat.tags import TagApi


def campaign_results_of(records: Records) -> CampaignResults:
    """Return what became of campaigns."""
    return CampaignResults(records.database, records.campaigns.lists, records.turn_log)


def campaign_pictures_of(records: Records) -> CampaignPictures:
    """Return the pictures that campaigns send."""
    return CampaignPictures(records.database, records.files, records.clock)


def unused_pictures_of(bot: Bot) -> UnusedPictures:
    """Return what deletes the pictures that no campaign holds any more."""
    records = bot.records
    return UnusedPictures(
        records.database, records.clock, shelf=MassApi(bot.api.client), remove_file=records.files.delete
    )


def platform_drafts_of(bot: Bot) -> PlatformDrafts:
    """Return what clears drafts of articles that the platform still keeps."""
    return PlatformDrafts(bot.records.database, bot.records.clock, box=MassApi(bot.api.client))


def campaign_calls_of(bot: Bot) -> CampaignCalls:
    """Return what staff do with the platform at once: previews, and taking back what was sent."""
    records = bot.records
    return CampaignCalls(
        records.database,
        records.campaigns.service,
        MassApi(bot.api.client),
        bot.api,
        records.clock,
        trail=records.audit,
        pictures=campaign_pictures_of(records),
    )


def publication_calls_of(bot: Bot) -> PublicationCalls:
    """Return what staff do with publications at the platform."""
    records = bot.records
    return PublicationCalls(
        records.database,
        records.clock,
        publications=records.campaigns.publications,
        publishing=PublishApi(bot.api.client),
    )


def platform_tags_of(bot: Bot) -> PlatformTags:
    """Return the platform's tags."""
    return PlatformTags(bot.records.database, bot.records.clock, TagApi(bot.api.client), trail=bot.records.audit)
