"""What the platform would not take is named before anything is sent."""

import pytest

from bot.campaigns.content import (
    Article,
    Content,
    Menu,
    MenuChoice,
    News,
    Picture,
    Subscribe,
    Template,
    Text,
    check,
    filled,
    from_json,
    to_json,
)
from bot.campaigns.errors import ContentRefused
from bot.campaigns.models import SendChannel

ARTICLE = Article("六月活动", "<p>内容</p>", "media-1")
GOOD: list[tuple[Content, SendChannel]] = [
    (Text("您好"), SendChannel.MASS_LIST),
    (Picture("media-1"), SendChannel.MASS_ALL),
    (News((ARTICLE,)), SendChannel.MASS_TAG),
    (Template("tpl", {"thing1": "健康筛查", "time2": "2026年6月18日 09:00"}), SendChannel.TEMPLATE),
    (Subscribe("tpl", {"thing1": "{区县}总工会"}), SendChannel.SUBSCRIBE),
    (Menu("要报名吗？", (MenuChoice("/flow:book", "现在报名"),)), SendChannel.CUSTOMER),
]


@pytest.mark.parametrize(("content", "channel"), GOOD)
def test_good_content_passes_and_survives_storage(content: Content, channel: SendChannel) -> None:
    assert check(content, channel) == ()
    assert from_json(to_json(content)) == content


@pytest.mark.parametrize(
    ("content", "channel", "code"),
    [
        (Text("  "), SendChannel.MASS_LIST, "campaign.part_empty"),
        (Text("长" * 683), SendChannel.MASS_LIST, "campaign.too_many_bytes"),
        (Text("{区县}的朋友"), SendChannel.MASS_LIST, "campaign.placeholder_unknown"),
        (Text("您好"), SendChannel.TEMPLATE, "campaign.content_not_for_channel"),
        (News(()), SendChannel.MASS_LIST, "campaign.articles_count"),
        (News((Article("题" * 33, "x", "m"),)), SendChannel.MASS_LIST, "campaign.too_long"),
        (Template("tpl", {"thing1": "字" * 21}), SendChannel.TEMPLATE, "campaign.too_long"),
        (Template("tpl", {"thing1": "两\n行"}), SendChannel.TEMPLATE, "campaign.line_break"),
        (Template("tpl", {"character_string2": "编号9"}), SendChannel.TEMPLATE, "campaign.only_ascii"),
        (Template("tpl", {"number3": "九"}), SendChannel.TEMPLATE, "campaign.only_number"),
        (Template("", {"thing1": "字"}), SendChannel.TEMPLATE, "campaign.part_empty"),
        (Menu("x", ()), SendChannel.CUSTOMER, "campaign.choices_count"),
    ],
)
def test_each_limit_is_named(content: Content, channel: SendChannel, code: str) -> None:
    assert code in {problem.code for problem in check(content, channel)}


def test_a_text_of_exactly_the_limit_passes() -> None:
    assert check(Text("长" * 682), SendChannel.MASS_LIST) == ()


def test_placeholders_are_filled() -> None:
    assert filled("{区县}的{类别}", {"区县": "碧江", "类别": "职工"}) == "碧江的职工"


def test_what_is_no_content_is_refused() -> None:
    for data in ({}, {"kind": "text"}, {"kind": "menu"}, {"kind": "text", "text": "x", "more": 1}):
        with pytest.raises(ContentRefused):
            from_json(data)
