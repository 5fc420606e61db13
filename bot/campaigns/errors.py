"""What can go wrong with campaigns. The codes are keys of ``texts.yml``."""

from typing import ClassVar

from bot.values.errors import BotError


class CampaignError(BotError):
    """The base of every error of this package."""

    code: ClassVar[str] = "campaign"


class NoSuchCampaign(CampaignError):
    """No campaign has this ``campaign_id``."""

    code: ClassVar[str] = "campaign.unknown"


class CampaignChanged(CampaignError):
    """Somebody changed the campaign since it was looked at; look again and decide again."""

    code: ClassVar[str] = "campaign.changed"


class NotInThisState(CampaignError):
    """The campaign's ``state`` does not allow ``step``."""

    code: ClassVar[str] = "campaign.not_in_this_state"


class SecondPersonNeeded(CampaignError):
    """Who wrote or changed a campaign does not approve it."""

    code: ClassVar[str] = "campaign.second_person_needed"


class CountNotConfirmed(CampaignError):
    """The typed number is not the number of people that the campaign reaches."""

    code: ClassVar[str] = "campaign.count_not_confirmed"


class OnlyTestAccount(CampaignError):
    """The system is set to send campaigns to named testers only; the audience holds ``others`` besides them."""

    code: ClassVar[str] = "campaign.only_testers"


class PublicWhileTesting(CampaignError):
    """The system is set to send to named testers only, and everybody could read what is published."""

    code: ClassVar[str] = "campaign.public_while_testing"


class NotAPublication(CampaignError):
    """The campaign's ``channel`` publishes nothing."""

    code: ClassVar[str] = "campaign.not_a_publication"


class NotPublished(CampaignError):
    """The articles cannot be read: they were not published yet, were refused, or are gone."""

    code: ClassVar[str] = "campaign.not_published"


class ArticleOfAnother(CampaignError):
    """The article was published by another campaign, ``campaign_id``."""

    code: ClassVar[str] = "campaign.article_of_another"


class OutcomeKnown(CampaignError):
    """What became of the publication is known, or will be told by the platform: nobody has to decide."""

    code: ClassVar[str] = "campaign.outcome_known"


class ContentRefused(CampaignError):
    """The content cannot be sent like this; ``problem`` is the first reason's code, ``part`` where it is."""

    code: ClassVar[str] = "campaign.content_refused"


class AudienceInvalid(CampaignError):
    """The audience is not a query: ``at`` names the place in it, ``problem`` what is wrong there."""

    code: ClassVar[str] = "campaign.audience_invalid"


class NothingToDo(CampaignError):
    """Nobody is left for this step: nobody to reach, nothing failed to send again."""

    code: ClassVar[str] = "campaign.nothing_to_do"


class StillUnderWay(CampaignError):
    """The same button was pressed a moment ago and its calls are not over."""

    code: ClassVar[str] = "campaign.under_way"


class CannotBeDeleted(CampaignError):
    """The platform takes back only articles, and only those that were sent."""

    code: ClassVar[str] = "campaign.cannot_be_deleted"


class NoSuchTag(CampaignError):
    """The platform has no tag of this number, as far as we know: ask it anew which there are."""

    code: ClassVar[str] = "campaign.tag_unknown"


class TagReadTwice(CampaignError):
    """Another reading of the same tag began before this one ended; that one counts."""

    code: ClassVar[str] = "campaign.tag_read_twice"


class PictureGone(CampaignError):
    """A picture that the content names was deleted, because no campaign had used it for days."""

    code: ClassVar[str] = "campaign.picture_gone"
