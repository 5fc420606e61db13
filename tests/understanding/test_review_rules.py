"""Which turns land on the review list, and what a turn says about those before it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from bot.understanding.models import Guess
from bot.understanding.review.models import Outcome, Reason, Turn
from bot.understanding.review.rules import CORRECTED_WITHIN, finding_of, reason_of
from bot.values.clock import LOCAL_ZONE

START = datetime(2026, 6, 15, 10, 0, tzinfo=LOCAL_ZONE)
UNREAD = ("message is", "Unread")


def turn(said: str, *trace: tuple[str, str], after_s: int = 0, model_id: str = "m1") -> Turn:
    """Return a turn; the model was asked unless ``model_id`` is empty."""
    guesses = (Guess("faq_app", 0.5),) if model_id else ()
    at = START + timedelta(seconds=after_s)
    return Turn(f"o-1:{after_s}", "o-1", at, said, guesses, model_id, trace)


REGISTERED = turn("娃儿要勤工", UNREAD, ("understood", "register_work_study"), ("flow started", "work_study"))
ASKED_BACK = turn("那个表", UNREAD, ("clarified", "check_status,register_work_study"))
LOST = turn("哎呀", UNREAD, ("not understood", ""))


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (ASKED_BACK, Reason.ASKED_BACK),
        (LOST, Reason.LOST),
        (turn("老板打死我了哈哈", UNREAD, ("understood", "crisis")), Reason.ALARM_BY_MODEL),
        (REGISTERED, None),
        (turn("那个表", UNREAD, ("clarified", "check_status"), model_id=""), None),  # Keywords asked, not the model.
        (turn("我要跳楼", ("message is", "Happens"), ("flow started", "crisis_support"), model_id=""), None),
        (turn("张三", ("message is", "Answers"), ("filled", "name")), None),
    ],
    ids=["asked back", "lost", "model alone", "sure", "by keywords", "crisis words", "an answer in a form"],
)
def test_why_a_turn_is_on_the_list(one: Turn, reason: Reason | None) -> None:
    assert reason_of(one) is reason


@pytest.mark.parametrize("asked", [ASKED_BACK, LOST], ids=["asked back", "lost"])
def test_a_choice_says_what_the_unclear_message_meant(asked: Turn) -> None:
    tap = turn("查进度", ("message is", "StartsFlow"), ("clarified as", "check_status"), after_s=20, model_id="")
    found = finding_of(tap, [asked, REGISTERED])
    assert found is not None
    assert (found.about, found.outcome, found.suggested) == (asked, Outcome.CHOSE, "check_status")
    assert finding_of(tap, [REGISTERED]) is None


@pytest.mark.parametrize(
    "said",
    ["不是这个", "不对，我是想查进度", "我不是要报名", "你没听懂", "我问的是进度", "不是", "搞错了噻", "答非所问"],
)
def test_contradictions(said: str) -> None:
    now = turn(said, UNREAD, ("understood", "check_status"), ("flow started", "look_up"), after_s=30)
    found = finding_of(now, [REGISTERED])
    assert found is not None
    assert (found.about, found.outcome, found.suggested) == (REGISTERED, Outcome.CONTRADICTED, "check_status")


@pytest.mark.parametrize(
    "said", ["不是学生能报吗", "不对外开放吗", "是的", "错过了报名咋办", "我不想活了", "不懂怎么报名", "那查进度呢"]
)
def test_what_is_no_contradiction(said: str) -> None:
    assert finding_of(turn(said, UNREAD, ("understood", "check_status"), after_s=30), [REGISTERED]) is None


@pytest.mark.parametrize("now", ["deny", "register_work_study", "handoff_human", "crisis"])
def test_a_contradiction_alone_suggests_nothing(now: str) -> None:
    found = finding_of(turn("不是这个", UNREAD, ("understood", now), after_s=30), [REGISTERED])
    assert found is not None
    assert found.suggested is None


def test_an_answer_in_a_form_contradicts_nothing() -> None:
    answer = turn("不是", ("message is", "Answers"), ("filled", "is_member"), after_s=30, model_id="")
    assert finding_of(answer, [REGISTERED]) is None


def test_a_flow_cancelled_right_after_it_began() -> None:
    cancel = turn("算了", ("message is", "Commands"), ("flow cancelled", "work_study"), after_s=30, model_id="")
    found = finding_of(cancel, [REGISTERED])
    assert found is not None
    assert (found.about, found.outcome, found.suggested) == (REGISTERED, Outcome.CANCELLED, None)
    answer = turn("张三", ("message is", "Answers"), after_s=20, model_id="")
    assert finding_of(cancel, [answer, REGISTERED]) is None
    asked = turn("取消", ("message is", "Commands"), after_s=20, model_id="")
    confirmed = finding_of(turn("删掉", ("flow cancelled", "work_study"), after_s=30), [asked, REGISTERED])
    assert confirmed is not None
    assert confirmed.about == REGISTERED


def test_a_flow_that_was_tapped_and_cancelled_says_nothing_of_the_model() -> None:
    tapped = turn("勤工俭学报名", ("message is", "StartsFlow"), ("flow started", "work_study"), model_id="")
    cancel = turn("算了", ("message is", "Commands"), ("flow cancelled", "work_study"), after_s=30, model_id="")
    assert finding_of(cancel, [tapped]) is None


@pytest.mark.parametrize(("before", "counts"), [("faq_app", True), ("handoff_human", False), ("crisis", False)])
def test_a_person_wanted_right_after(before: str, *, counts: bool) -> None:
    earlier = turn("怎么弄", UNREAD, ("understood", before))
    person = turn(
        "人工", ("message is", "Commands"), ("flow started", "pattern_human_handoff"), after_s=9, model_id=""
    )
    found = finding_of(person, [earlier])
    assert (found is not None and found.outcome is Outcome.HANDED_OVER) is counts


@pytest.mark.parametrize("earlier", [[], [REGISTERED]], ids=["nothing before", "long ago"])
def test_what_is_long_over_is_not_corrected(earlier: Sequence[Turn]) -> None:
    late = int(CORRECTED_WITHIN.total_seconds()) + 1
    assert finding_of(turn("不是这个", UNREAD, after_s=late), earlier) is None
    assert (finding_of(turn("不是这个", UNREAD, after_s=late - 1), earlier) is not None) is bool(earlier)
