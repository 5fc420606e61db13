"""How answers are spread over the passive reply and customer-service messages."""

import re
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.wechat.models import (
    Article,
    Choice,
    CustomerImage,
    CustomerMenu,
    CustomerMessage,
    CustomerNews,
    CustomerText,
    ImageReply,
    NewsReply,
    Outgoing,
    OutImage,
    OutNews,
    OutText,
    PassiveReply,
    TextReply,
)
from bot.wechat.planner import MAX_MENU_CHOICES, DeliveryPlan, numbered, plan
from bot.wechat.texts import clean, fits

YES_NO = (Choice("affirm", "是"), Choice("deny", "否 & 返回"))
LONG = "很长的话。" * 200
NEWS = OutNews("标题", "说明", "https://example.com/p.jpg", "https://example.com/")


def planned(*outgoing: Outgoing, passive_open: bool = True, link_choices: bool = False) -> DeliveryPlan:
    return plan(outgoing, passive_open=passive_open, link_choices=link_choices)


class TestPassive:
    def test_nothing_to_say(self) -> None:
        assert planned() == planned(OutText(" \n")) == DeliveryPlan(None, ())

    def test_texts_share_the_reply(self) -> None:
        assert planned(OutText("一"), OutText("二")) == DeliveryPlan(TextReply("一\n\n二"), ())

    def test_what_does_not_fit_comes_later_together(self) -> None:
        result = planned(OutText("好。" * 250), OutText("二" * 200), OutText("三"))
        assert result == DeliveryPlan(TextReply("好。" * 250), (CustomerText("二" * 200 + "\n\n三"),))

    def test_a_text_too_long_is_cut(self) -> None:
        result = planned(OutText(LONG), OutText("再见"))
        assert isinstance(result.passive, TextReply)
        assert result.passive.content == "很长的话。" * 120
        assert result.later == (CustomerText("很长的话。" * 80 + "\n\n再见"),)

    def test_choices_are_numbered_lines(self) -> None:
        assert planned(OutText("确认吗？", YES_NO)).passive == TextReply("确认吗？\n1 是\n2 否 & 返回")

    def test_choices_are_links_that_send_themselves(self) -> None:
        passive = planned(OutText("确认吗？", YES_NO), link_choices=True).passive
        assert isinstance(passive, TextReply)
        question, *lines = passive.content.split("\n")
        assert question == "确认吗？"
        for number, (line, choice) in enumerate(zip(lines, YES_NO, strict=True), start=1):
            found = re.fullmatch(r'<a href="([^"<>]+)">(.+)</a>', line)
            assert found
            assert found[2] == f"{number} {choice.label}"
            assert urlsplit(found[1]).scheme == "weixin"
            assert parse_qs(urlsplit(found[1]).query) == {"msgmenucontent": [choice.label], "msgmenuid": [choice.id]}

    def test_links_that_are_too_long_send_their_number(self) -> None:
        choices = tuple(Choice(f"id-{n}", "一个相当长的选项名称") for n in range(14))
        passive = planned(OutText("选哪个？", choices), link_choices=True).passive
        assert isinstance(passive, TextReply)
        assert "msgmenucontent=14&msgmenuid=id-13" in passive.content
        assert "14 一个相当长的选项名称</a>" in passive.content

    def test_the_main_choice_stays_a_link_when_all_of_them_do_not_fit(self) -> None:
        choices = tuple(Choice(f"id-{n}", "一个相当长的选项名称") for n in range(20))
        passive = planned(
            OutText("选哪个？" * 30, (*choices, Choice("/submit", "提交", main=True))), link_choices=True
        ).passive
        assert isinstance(passive, TextReply)
        assert passive.content.count("<a") == 1
        assert "\n20 一个相当长的选项名称\n<a " in passive.content
        assert passive.content.endswith('msgmenuid=%2Fsubmit">21 提交</a>')

    def test_links_give_way_to_numbers_when_they_do_not_fit(self) -> None:
        choices = (*(Choice(f"id-{n}", "是") for n in range(10)), Choice("last", "一个相当长的选项名称" * 2))
        passive = planned(OutText("选哪个？" * 130, choices), link_choices=True).passive
        assert isinstance(passive, TextReply)
        assert "<a" not in passive.content
        assert "11 一个相当长的选项名称" in passive.content

    def test_a_picture_or_a_card_is_passive_only_when_first(self) -> None:
        assert planned(OutImage("m"), OutText("二")) == DeliveryPlan(ImageReply("m"), (CustomerText("二"),))
        assert planned(OutText("一"), OutImage("m")) == DeliveryPlan(TextReply("一"), (CustomerImage("m"),))
        article = Article("标题", "说明", "https://example.com/p.jpg", "https://example.com/")
        assert planned(NEWS) == DeliveryPlan(NewsReply((article,)), ())


class TestLater:
    def test_everything_waits_when_the_delivery_is_closed(self) -> None:
        result = planned(OutText("一"), OutImage("m"), OutText("二"), NEWS, passive_open=False)
        assert result == DeliveryPlan(
            None,
            (
                CustomerText("一"),
                CustomerImage("m"),
                CustomerText("二"),
                CustomerNews("标题", "说明", "https://example.com/p.jpg", "https://example.com/"),
            ),
        )

    def test_choices_are_a_menu_under_the_texts_before(self) -> None:
        result = planned(OutText("一"), OutText("确认吗？", YES_NO), OutText("二"), passive_open=False)
        assert result.later == (CustomerMenu("一\n\n确认吗？", YES_NO), CustomerText("二"))

    def test_many_choices_are_numbered(self) -> None:
        choices = tuple(Choice(str(n), f"选项{n}") for n in range(MAX_MENU_CHOICES + 1))
        (message,) = planned(OutText("选哪个？", choices), passive_open=False).later
        assert isinstance(message, CustomerText)
        assert message.content.endswith("\n11 选项10")

    def test_a_long_question_keeps_its_choices(self) -> None:
        first, second = planned(OutText(LONG, YES_NO), passive_open=False).later
        assert (first, second) == (CustomerText("很长的话。" * 120), CustomerMenu("很长的话。" * 80, YES_NO))

    def test_choices_that_did_not_fit_the_reply_follow_as_a_menu(self) -> None:
        question = "问" * 598
        assert planned(OutText(question, YES_NO)) == DeliveryPlan(TextReply(question), (CustomerMenu("", YES_NO),))

    def test_a_menu_as_text_for_accounts_without_menus(self) -> None:
        assert numbered(CustomerMenu("头", YES_NO, "尾")) == CustomerText("头\n1 是\n2 否 & 返回\n尾")


# Properties -----------------------------------------------------------------------------------------------------

texts = st.text(alphabet="工会职工。，\n ab", max_size=900)
choices = st.lists(
    st.builds(Choice, st.text("abc", min_size=1, max_size=8), st.text("选项甲乙", min_size=1, max_size=40)),
    max_size=14,
).map(tuple)
outgoings = st.lists(
    st.one_of(st.builds(OutText, texts, choices), st.builds(OutImage, st.just("m")), st.just(NEWS)), max_size=6
)


def seen(message: PassiveReply | CustomerMessage | Outgoing) -> str:
    """What a follower reads of a message, blanks left out; an option by its label."""
    match message:
        case TextReply(content) | CustomerText(content):
            text = re.sub(r"(?m)^(?:<a [^<>]*>)?\d+ (?=[选项甲乙]+(?:</a>)?$)|</a>$", "", content)
        case OutText(content, options):
            text = clean(content) + "".join(option.label for option in options)
        case CustomerMenu(head, options, tail):
            text = head + "".join(option.label for option in options) + tail
        case OutImage() | ImageReply() | CustomerImage():
            text = "[image]"
        case OutNews() | NewsReply() | CustomerNews():
            text = "[news]"
        case _:
            raise AssertionError(message)
    return "".join(text.split())


def size_checked(message: PassiveReply | CustomerMessage) -> bool:
    match message:
        case TextReply(content) | CustomerText(content):
            return bool(content) and fits(content)
        case CustomerMenu(head, options, tail):
            return fits("\n".join([head, *(option.label for option in options), tail]))
        case _:
            return True


@settings(max_examples=200, deadline=None)
@given(outgoings, st.booleans(), st.booleans())
def test_everything_is_said_once_in_order_and_fits(
    outgoing: list[Outgoing], passive_open: bool, link_choices: bool
) -> None:
    result = plan(outgoing, passive_open=passive_open, link_choices=link_choices)
    messages = [message for message in (result.passive, *result.later) if message is not None]
    assert "".join(map(seen, messages)) == "".join(map(seen, outgoing))
    assert all(map(size_checked, messages))
    assert passive_open or result.passive is None
    if passive_open and messages:
        assert result.passive is not None


@settings(max_examples=100, deadline=None)
@given(st.lists(st.builds(OutText, st.text("工会。", min_size=1, max_size=40)), min_size=1, max_size=14))
def test_short_texts_need_no_message_of_the_allowance(outgoing: list[Outgoing]) -> None:
    assert plan(outgoing, passive_open=True, link_choices=True).later == ()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 600), max_size=8))
def test_no_two_neighbours_could_have_shared_a_message(lengths: list[int]) -> None:
    result = plan([OutText("工" * length) for length in lengths], passive_open=False, link_choices=False)
    contents = [message.content for message in result.later if isinstance(message, CustomerText)]
    assert len(contents) == len(result.later)
    assert not any(fits(f"{one}\n\n{two}") for one, two in pairwise(contents))
