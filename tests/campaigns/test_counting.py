"""The count that people see while they compose: exact where that is quick, an honest estimate of very many."""

import re
from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import select

from bot.campaigns.audience import AnyOf, Audience, Consented, Everyone, InCounty, Not, Registered, Tagged
from bot.campaigns.conditions import condition
from bot.campaigns.counting import AudienceCounter
from bot.campaigns.models import SendChannel
from bot.campaigns.opt_outs import OptOuts
from bot.campaigns.planning import Planner
from bot.campaigns.reach import Wanted
from bot.campaigns.service import CampaignService
from bot.followers.consents import ConsentService
from bot.followers.models import Follower
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.campaigns.people import add_followers, draft, openid, started
from tests.console.served import counted_queries
from tests.support.statements import Statement, plan_of, recorded_statements

PEOPLE = 1_000
"""Two tenths of them are in the sample: their OpenIDs have a 3 or a 7 as the last letter but two."""
STATEMENTS_MAX = 3
LIST = SendChannel.MASS_LIST
CHANNELS = (LIST, SendChannel.CUSTOMER, SendChannel.MASS_ALL, SendChannel.TEMPLATE)


@pytest.fixture
async def people(database: Database, clock: MovedClock, opt_outs: OptOuts) -> None:
    """Some in each of two counties, some long unseen, every tenth with a tag, a few who opted out or agreed."""
    seen, unseen = clock.now(), clock.now() - timedelta(days=3)
    await add_followers(database, range(0, PEOPLE, 2), seen, county="520602")
    await add_followers(database, range(1, PEOPLE, 2), unseen, county="520603")
    await add_followers(database, [PEOPLE], seen, county="520602", subscribed=False)
    await opt_outs.set_tag("志愿者", [openid(number) for number in range(0, PEOPLE, 10)])
    consents = ConsentService(database, clock)
    for number in (10, 11, 12, PEOPLE):
        await opt_outs.opt_out(openid(number), source="chat")
    for number in (1, 2, 10):
        await consents.record_consent(
            openid(number), "campaigns", text_version="1", text="同意", channel="chat", key=f"c{number}"
        )


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("earlier", [0, 4])
async def test_what_is_counted_exactly_is_what_the_check_will_find(
    database: Database, planner: Planner, service: CampaignService, earlier: int
) -> None:
    for number in range(earlier):
        await started(service, draft(audience=InCounty(("520602",))), key=f"{number}")
    audiences: list[Audience] = [
        Everyone(),
        InCounty(("520602",)),
        Not(InCounty(("520602",))),
        Tagged("志愿者"),
        AnyOf((Tagged("志愿者"), InCounty(("520603",)))),
        Not(Consented("campaigns")),
    ]
    for channel, purpose, audience in product(CHANNELS, ("", "campaigns"), audiences):
        wanted = Wanted(channel, audience, purpose=purpose)
        with counted_queries(database) as statements:
            count = await planner.count(wanted)
        plan = await planner.plan(wanted)
        assert (count.matched, count.reachable, count.skipped) == (plan.matched, plan.reachable, plan.skipped)
        assert count.is_exact
        # One of them looks whether there were campaigns this month.
        assert len(statements) <= STATEMENTS_MAX + 1


@pytest.mark.usefixtures("people")
async def test_very_many_are_estimated_and_it_says_so(
    database: Database, clock: MovedClock, service: CampaignService
) -> None:
    planner = Planner(database, clock, counter=AudienceCounter(database, estimated_from=PEOPLE, exact_below=150))
    many = await planner.count(Wanted(LIST, Not(Tagged("志愿者"))))
    assert (many.is_exact, many.matched, many.reachable) == (False, 900, 900)
    assert many.skipped == {}, "two opted out of a thousand: none is in the sample"
    agreed = await planner.count(Wanted(LIST, Everyone(), purpose="campaigns"))
    assert (agreed.is_exact, agreed.matched, agreed.reachable) == (False, PEOPLE, 0)
    told = await planner.count(Wanted(LIST, InCounty(("520602",))))
    assert (told.is_exact, told.matched, told.skipped) == (True, 500, {"opted_out": 2})
    for number in range(4):
        await started(service, draft(audience=InCounty(("520602",))), key=f"{number}")
    used = await planner.count(Wanted(LIST, Everyone()))
    assert (used.is_exact, used.matched, used.skipped) == (False, PEOPLE, {"quota_used": 500})
    few = await planner.count(Wanted(LIST, Tagged("志愿者")))
    assert (few.is_exact, few.matched, few.reachable) == (True, 100, 0)


async def test_without_anybody_in_the_sample_everybody_is_counted(
    database: Database, clock: MovedClock, opt_outs: OptOuts
) -> None:
    await add_followers(database, range(100), clock.now())
    await opt_outs.set_tag("志愿者", [openid(7)])
    planner = Planner(database, clock, counter=AudienceCounter(database, estimated_from=1, exact_below=1))
    count = await planner.count(Wanted(LIST, Not(Tagged("志愿者"))))
    assert (count.is_exact, count.matched) == (True, 99)


@pytest.mark.parametrize("programme", ["", "period-01"])
async def test_a_follower_is_looked_up_by_their_key_whatever_is_asked_of_their_registrations(
    database: Database, clock: MovedClock, programme: str
) -> None:
    audience = Not(Registered(programme, ("approved",)))
    query = select(Follower.openid).where(condition(audience, clock.now()))
    with recorded_statements(database) as statements:
        async with database.reading() as session:
            await session.execute(query)
    plan = await plan_of(database, statements[-1])
    plain = re.sub(r"\((registrations\.\w+) \|\| [^)]*\)", r"\1", statements[-1].text)
    assert plain != statements[-1].text
    if database.is_sqlite:
        # Without the guard SQLite walks all registrations of the status, or of the programme, for each follower.
        values = tuple(value for value in statements[-1].parameters if value)
        unguarded = await plan_of(database, Statement(plain, values))
        assert "ix_registrations_openid_created_at" not in unguarded
        assert "USING INDEX ix_registrations_openid_created_at (openid=?)" in plan
