"""Made-up campaigns of the demonstration: one that is being written, one that was sent, and what goes out by itself.

Nothing reaches the platform: of the one that was sent, the answers are made up. A second start adds nothing.
"""

from collections.abc import Sequence
from typing import Final

from bot.app.records import Records
from bot.campaigns.audience import AllOf, Everyone, InCounty, Named, Not, Registered
from bot.campaigns.automatic_rules import Rule, RuleKind
from bot.campaigns.batches import Batches
from bot.campaigns.content import Template, Text
from bot.campaigns.drafts import CampaignDraft
from bot.campaigns.models import CampaignState, Outcome, SendChannel
from bot.campaigns.rules import SendingHours
from bot.campaigns.singles import Addressee, Result
from bot.campaigns.standard import standard_texts
from bot.campaigns.stopping import Stops
from bot.campaigns.views import CampaignView
from bot.programmes.models import ProgrammeKind
from bot.values.counties import County

AUTHOR, APPROVER, SOURCE = "demo.operator", "demo.approver", "command line"
ALL_DAY: Final = SendingHours(0, 24 * 60)
FOLLOWERS: Final = tuple(f"demo-woman-{serial}" for serial in range(1, 13)) + tuple(
    f"demo-parent-{serial}" for serial in range(1, 7)
)
OPTED_OUT: Final = FOLLOWERS[3]
NOT_FOLLOWING: Final = 43004
REMINDER_DAYS: Final = (3, 1)
_COUNTIES = (County.SONGTAO, County.BIJIANG, County.SINAN)
_UNITS = ("演示环卫所", "演示中学", "演示快递站")


async def add_campaigns(records: Records) -> None:
    """Let the made-up workers follow, and store the campaigns and the rules, once."""
    await _follow(records)
    await _add_rules(records)
    await _add_draft(records)
    await _send_one(records)


async def _follow(records: Records) -> None:
    for place, openid in enumerate(FOLLOWERS):
        await records.followers.followed(openid, "demo", f"demo-follow:{openid}")
        county, unit = _COUNTIES[place % len(_COUNTIES)], _UNITS[place % len(_UNITS)]
        await records.followers.describe(openid, county=county.code, category="employed", unit=unit)
    await records.campaigns.opt_outs.opt_out(OPTED_OUT, source="chat")


async def _add_rules(records: Records) -> None:
    automatic = records.campaigns.automatic
    if await automatic.rules.all():
        return
    texts = standard_texts()
    rules = [Rule(RuleKind.APPOINTMENT, texts["appointment"].body, days=days) for days in REMINDER_DAYS]
    rules.append(Rule(RuleKind.OPENING, texts["opening"].body))
    rules.append(Rule(RuleKind.FOLLOW_UP, texts["follow_up"].body, days=1))
    for rule in rules:
        await automatic.rules.save(rule, by=AUTHOR, source=SOURCE)


async def _add_draft(records: Records) -> None:
    text = "职工朋友您好：免费健康筛查还有名额，回复“我要筛查”就能预约。不想再收到这类消息，回复“退订”。"
    counties = InCounty((County.SONGTAO.code, County.BIJIANG.code))
    screening = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    without = Not(Registered(screening.id)) if screening is not None else Everyone()
    draft = CampaignDraft(
        title="健康筛查开放预约",
        channel=SendChannel.MASS_LIST,
        content=Text(text),
        audience=AllOf((counties, without)),
        programme_id=screening.id if screening is not None else None,
    )
    await records.campaigns.service.create(draft, by=AUTHOR, key="demo:draft", source=SOURCE)


async def _send_one(records: Records) -> None:
    service = records.campaigns.service
    screening = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    draft = CampaignDraft(
        title="健康筛查预约提醒",
        channel=SendChannel.TEMPLATE,
        content=Template("demo-template", {"thing1": "女职工健康筛查", "thing2": "{区县}还有名额"}),
        audience=Named(FOLLOWERS),
        programme_id=screening.id if screening is not None else None,
        per_minute=600,
        hours=ALL_DAY,
        max_failed_percent=50,
    )
    made = await service.create(draft, by=AUTHOR, key="demo:sent", source=SOURCE)
    if made.state is CampaignState.DRAFT:
        await _start(records, made)
    if (await service.get(made.id)).state is CampaignState.SENDING:
        await _answer(records, made.id)


async def _start(records: Records, made: CampaignView) -> None:
    service = records.campaigns.service
    checked = await service.check(made.id, by=AUTHOR, version=made.version, source=SOURCE)
    count = checked.plan.reachable
    await service.approve(made.id, by=APPROVER, version=made.version, confirmed=count, source=SOURCE)
    await service.send(made.id, by=AUTHOR, version=made.version, confirmed=count, source=SOURCE)
    await service.start_due()


async def _answer(records: Records, campaign_id: int) -> None:
    """Write what a platform would have answered: one no longer follows."""
    batches = Batches(records.database, records.clock)
    for batch_id in await batches.due():
        hold = await batches.claim(batch_id)
        if hold is not None and hold.campaign_id == campaign_id:
            wave = await batches.singles.next_wave(hold, len(FOLLOWERS)) or []
            await batches.singles.results(hold, _results(wave))
            await batches.singles.finished(hold)
    await Stops(records.database, records.clock, records.campaigns.service).after_batch(campaign_id)


def _results(wave: Sequence[Addressee]) -> list[Result]:
    *others, last = wave
    sent = [Result(one.openid, Outcome.DELIVERED) for one in others]
    return [*sent, Result(last.openid, Outcome.FAILED, code=NOT_FOLLOWING)]
