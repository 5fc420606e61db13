"""Outcomes as messages."""

from bot.dialogue.catalog import FlowCatalog, Response, Variant
from bot.dialogue.conditions import parse_condition
from bot.dialogue.events import Option
from bot.dialogue.outcomes import Asked, FlowFinished, HandedOver, PictureSent, Progress, Reviewed, ReviewLine, Spoken
from bot.dialogue.render import Choice, Message, Renderer, joined


def test_a_question_shows_lead_progress_and_choices(catalog: FlowCatalog) -> None:
    asked = Asked(
        "trip_grade",
        "utter_ask_trip_grade",
        options=(Option("1", "大一"), Option("/word:跳过", "跳过")),
        progress=Progress(3, 9),
        leads=(Spoken("utter_pattern_continue"),),
    )
    assert Renderer(catalog).render([asked]) == (
        Message("我们接着填——(3/9)几年级？", (Choice("/answer:trip_grade:1", "大一"), Choice("/word:跳过", "跳过"))),
    )


def test_a_long_lead_stands_on_its_own_line(catalog: FlowCatalog) -> None:
    lead = Spoken("utter_pattern_why", {"label": "人数", "help": "很" * 60})
    text = Renderer(catalog).render([Asked("trip_people", "utter_ask_trip_people", leads=(lead,))])[0].text
    assert text.endswith("\n一共几个人？")


def test_a_review_is_a_list_to_tap(catalog: FlowCatalog) -> None:
    review = Reviewed("utter_pattern_review", (ReviewLine("trip_name", "姓名", "杨小芳"),), "提交")
    choices = Renderer(catalog).render([review])[0].choices
    assert choices == (Choice("/field:trip_name", "姓名 杨小芳"), Choice("/submit", "提交", main=True))


def test_choices_of_an_action_come_back_as_words_or_flows(catalog: FlowCatalog) -> None:
    spoken = Spoken(
        "utter_answer",
        {"answer": "x{b}"},
        (Option("查进度", "看看进度"), Option("join_trip", "报名", next_flow="join_trip")),
    )
    message = Renderer(catalog).render([spoken])[0]
    assert message.text == "答：x{b}", "a value is not read for placeholders again"
    assert [choice.id for choice in message.choices] == ["/word:查进度", "/flow:join_trip"]


def test_what_says_nothing_gives_no_message(catalog: FlowCatalog) -> None:
    assert Renderer(catalog).render([FlowFinished("x"), HandedOver("y")]) == ()
    assert Renderer(catalog).render([PictureSent("m")]) == (Message("", media_id="m"),)


def test_numbers_for_channels_without_anything_to_tap() -> None:
    assert Message("好吗？", (Choice("a", "是"), Choice("b", "不是"))).numbered() == "好吗？\n1 是  2 不是"
    long = Message("选", (Choice("a", "困难职工子女暑期勤工俭学报名"), Choice("b", "女职工健康筛查")))
    assert long.numbered() == "选\n1 困难职工子女暑期勤工俭学报名\n2 女职工健康筛查"
    assert Message("好").numbered() == "好"


def test_neighbours_are_joined_while_they_fit_and_choices_stay_last() -> None:
    with_choice = Message("c", (Choice("x", "y"),))
    messages = (Message("a"), Message("b"), with_choice, Message("d"), Message("", media_id="m"), Message("e"))
    assert joined(messages, 10) == (
        Message("a\nb\nc", with_choice.choices),
        Message("d"),
        Message("", media_id="m"),
        Message("e"),
    )
    assert joined((Message("aaaa"), Message("bbbb")), 8) == (Message("aaaa"), Message("bbbb"))


def test_wordings_by_condition_and_in_turn() -> None:
    variants = (Variant("a"), Variant("b", parse_condition("slots.x")), Variant("c"))
    response = Response("utter_x", variants)
    assert [response.choose({}, turn) for turn in range(4)] == [0, 2, 0, 2]
    assert response.choose({"x": True}, 7) == 1
