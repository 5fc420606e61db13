"""An audience is a query: stored, read back, and asked of the database."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.campaigns.audience import (
    AllOf,
    AnyOf,
    Audience,
    Consented,
    Everyone,
    FollowedWithin,
    GotCampaign,
    InCategory,
    InCounty,
    InUnit,
    Named,
    Not,
    Registered,
    SeenWithin,
    Tagged,
    from_json,
    to_json,
)
from bot.campaigns.conditions import condition
from bot.campaigns.errors import AudienceInvalid
from bot.campaigns.models import Recipient
from bot.campaigns.opt_outs import OptOuts
from bot.followers.consents import ConsentService
from bot.followers.models import Follower
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from tests.campaigns.people import add_followers, openid

TREE = AllOf(
    (
        AnyOf((InCounty(("520602",)), InCategory(("new_employment",)))),
        Not(Registered("screening-2026", ("approved",))),
        SeenWithin(30),
        Consented("campaigns"),
        FollowedWithin(10),
        GotCampaign(3),
        Tagged("志愿者"),
        Named(("o1", "o2")),
        Everyone(),
    )
)


def test_a_tree_survives_storage() -> None:
    assert from_json(to_json(TREE)) == TREE


@pytest.mark.parametrize(
    ("data", "at", "problem"),
    [
        (None, "kind", "unknown_kind"),
        ({"kind": "planet"}, "kind", "unknown_kind"),
        ({"kind": "county"}, "counties", "missing"),
        ({"kind": "county", "counties": []}, "counties", "empty"),
        ({"kind": "county", "counties": "520602"}, "counties", "not_a_list"),
        ({"kind": "seen_within", "days": 0}, "days", "not_a_number"),
        ({"kind": "seen_within", "days": True}, "days", "not_a_number"),
        ({"kind": "registered", "statuses": ["lost"]}, "statuses", "unknown_status"),
        ({"kind": "tagged", "tag": ""}, "tag", "not_a_text"),
        ({"kind": "everyone", "more": 1}, "more", "unknown_field"),
        ({"kind": "all_of", "parts": []}, "parts", "empty"),
        ({"kind": "any_of", "parts": [{"kind": "everyone"}, {"kind": "x"}]}, "parts[1]", "unknown_kind"),
        ({"kind": "not"}, "part", "unknown_kind"),
    ],
)
def test_what_is_no_audience_is_refused_by_its_place(data: object, at: str, problem: str) -> None:
    with pytest.raises(AudienceInvalid) as refused:
        from_json(data)
    assert refused.value.fields == {"at": at, "problem": problem}


def test_a_tree_without_end_is_refused() -> None:
    data: dict[str, object] = {"kind": "everyone"}
    for _ in range(7):
        data = {"kind": "not", "part": data}
    with pytest.raises(AudienceInvalid):
        from_json(data)


async def who(database: Database, audience: Audience, clock: MovedClock) -> set[int]:
    """Return who is in the audience, which both ways of asking have to agree on."""
    now = clock.now()
    async with database.reading() as session:
        one, other = [
            set(await session.scalars(select(Follower.openid).where(condition(audience, now, by_key=by_key))))
            for by_key in (False, True)
        ]
    assert one == other
    return {int(openid.removeprefix("oTest")) for openid in one}


async def test_each_part_finds_its_people(database: Database, clock: MovedClock, opt_outs: OptOuts) -> None:
    now = clock.now()
    await add_followers(database, [1], now, county="520602")
    await add_followers(database, [2], now - timedelta(days=40), county="520603", category="new_employment")
    await add_followers(database, [3], now, unit="铜仁市人民医院")
    await ConsentService(database, clock).record_consent(
        openid(3), "campaigns", text_version="1", text="同意", channel="chat", key="c"
    )
    await opt_outs.set_tag("志愿者", [openid(2)])
    async with database.transaction() as session:
        session.add(Recipient(campaign_id=7, openid=openid(1), chunk=1, outcome="delivered"))
        session.add(Recipient(campaign_id=7, openid=openid(2), chunk=1, outcome="failed"))
    found = {
        "everyone": await who(database, Everyone(), clock),
        "county": await who(database, InCounty(("520602", "520621")), clock),
        "not county": await who(database, Not(InCounty(("520602",))), clock),
        "category": await who(database, InCategory(("new_employment",)), clock),
        "unit": await who(database, InUnit(("铜仁市人民医院工会委员会", "玉屏箫笛厂")), clock),
        "consented": await who(database, Consented("campaigns"), clock),
        "tagged": await who(database, Tagged("志愿者"), clock),
        "seen": await who(database, SeenWithin(30), clock),
        "followed": await who(database, Not(FollowedWithin(30)), clock),
        "got": await who(database, GotCampaign(7), clock),
        "registered": await who(database, Registered(), clock),
        "any": await who(database, AnyOf((Tagged("志愿者"), Named((openid(3),)))), clock),
        "all": await who(database, AllOf((SeenWithin(30), Not(GotCampaign(7)))), clock),
    }
    assert found == {
        "everyone": {1, 2, 3},
        "county": {1},
        "not county": {2, 3},
        "category": {2},
        "unit": {3},
        "consented": {3},
        "tagged": {2},
        "seen": {1, 3},
        "followed": {2},
        "got": {1},
        "registered": set(),
        "any": {2, 3},
        "all": {3},
    }
