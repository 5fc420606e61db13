"""What a message is heard as: one wish or several, a danger by the model, and how often the NLU is asked."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from bot.dialogue.engine import Engine
from bot.dialogue.loader import load_catalog
from bot.dialogue.models import DialogueState, Said
from bot.dialogue.readings import Answers, StartsFlow
from bot.dialogue.standard_validators import standard_validators
from bot.turns.hearing import CRISIS_CHECK_EVENT, Heard, Hearing, understood
from bot.turns.reading import CRISIS_EVENT
from bot.understanding.models import Guess, Ranking
from bot.values.clock import LOCAL_ZONE

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=LOCAL_ZONE)
BUDGET_S = 1.5
CATALOG = load_catalog(Path("flows"))
ENGINE = Engine(CATALOG, standard_validators())


class Told:
    """An NLU that knows what the table says, and writes down what it is asked and how long it may take."""

    def __init__(self, chances: Mapping[str, tuple[str, float]], *, danger: float = 0.0) -> None:
        self.chances = chances
        self.danger = danger
        self.asked: list[str] = []
        self.budgets_s: list[float] = []

    async def rank(self, text: str, budget_s: float) -> Ranking:
        self.asked.append(text)
        self.budgets_s.append(budget_s)
        intent, chance = self.chances.get(text, ("out_of_scope", 0.1))
        guesses = [Guess(intent, chance), Guess("crisis", self.danger)]
        return Ranking(tuple(sorted(guesses, key=lambda guess: -guess.confidence)), "model")


class Questions:
    """Knows one question."""

    async def recognised_as(self, text: str) -> str | None:
        return "faq_labour_law" if text == "年假" else None


async def hear(nlu: Told, text: str, state: DialogueState | None = None) -> Heard:
    hearing = Hearing(ENGINE, nlu, Questions(), budget_s=BUDGET_S)
    return await hearing.hear(state or DialogueState(), Said(text, NOW.date()), NOW)


def asking_for_county() -> DialogueState:
    """Return the state of somebody whose open question is the county."""
    said = Said("", NOW.date(), event="/flow:book_health_screening")
    step = ENGINE.respond(DialogueState(), said, ENGINE.read(DialogueState(), said, NOW), None, NOW)
    frame = replace(step.state.frames[0], step="collect_hs_county")
    return replace(step.state, frames=(frame,), waiting=None, asking="hs_county")


SURE = {
    "帮我查下进度": ("check_status", 0.9),
    "消费券在哪领": ("faq_coupons", 0.9),
    "帮我报个两癌筛查": ("book_health_screening", 0.9),
    "要空腹不": ("chitchat", 0.6),
    "谢谢你们": ("thank", 0.9),
}


async def test_one_wish_costs_one_question() -> None:
    nlu = Told(SURE)
    heard = await hear(nlu, "帮我查下进度")
    assert nlu.asked == ["帮我查下进度"]
    assert heard.said.later == ()
    assert heard.understood is not None
    assert heard.understood.intents == ("check_status",)


async def test_two_wishes_cost_one_question_each() -> None:
    nlu = Told(SURE)
    heard = await hear(nlu, "帮我查下进度，顺便问下消费券在哪领")
    assert sorted(nlu.asked) == ["帮我查下进度", "消费券在哪领"]
    assert all(budget_s <= BUDGET_S for budget_s in nlu.budgets_s)
    assert heard.said.text == "帮我查下进度"
    assert [(wish.intent, wish.text) for wish in heard.said.later] == [("faq_coupons", "消费券在哪领")]


async def test_what_is_unclear_alone_is_about_the_form_before_it() -> None:
    heard = await hear(Told(SURE), "帮我报个两癌筛查，顺便问下要空腹不")
    assert [(wish.intent, wish.text) for wish in heard.said.later] == [("faq_health_screening", "要空腹不")]


async def test_where_a_part_is_no_wish_the_whole_is_asked_about() -> None:
    whole = "帮我查下进度，顺便问下那个东西咋样了"
    nlu = Told({**SURE, whole: ("check_status", 0.8)})
    heard = await hear(nlu, whole)
    assert nlu.asked[-1] == whole
    assert heard.said == Said(whole, NOW.date())
    assert heard.understood is not None
    assert heard.understood.intents == ("check_status",)


async def test_a_courtesy_in_front_is_left_out() -> None:
    heard = await hear(Told(SURE), "谢谢你们，另外帮我查下进度")
    assert heard.said.text == "帮我查下进度"
    assert heard.said.later == ()


async def test_the_same_wish_twice_is_one() -> None:
    whole = "帮我查下进度，再帮我看下进度"
    nlu = Told({"帮我查下进度": ("check_status", 0.9), "帮我看下进度": ("check_status", 0.9)})
    heard = await hear(nlu, whole)
    assert heard.said.text == whole


async def test_an_answer_with_a_question_behind_it() -> None:
    heard = await hear(Told(SURE), "松桃的，顺便问下消费券在哪领", asking_for_county())
    assert isinstance(heard.reading.act, Answers)
    assert heard.understood is None
    assert [wish.intent for wish in heard.said.later] == ["faq_coupons"]


async def test_a_plain_answer_costs_no_question() -> None:
    nlu = Told(SURE)
    await hear(nlu, "松桃", asking_for_county())
    assert nlu.asked == []


@pytest.mark.parametrize(
    ("danger", "event"),
    [(0.9, CRISIS_EVENT), (0.13, CRISIS_EVENT), (0.11, CRISIS_CHECK_EVENT), (0.09, CRISIS_CHECK_EVENT), (0.07, None)],
)
async def test_a_danger_by_the_model_goes_before_everything(danger: float, event: str | None) -> None:
    for state in (DialogueState(), asking_for_county()):
        heard = await hear(Told({"我一个人在这里": ("consult_lawyer", 0.5)}, danger=danger), "我一个人在这里", state)
        assert heard.said.event == event
        assert bool(heard.notes) == (event is not None)
        assert isinstance(heard.reading.act, StartsFlow) == (event is not None)


async def test_a_single_character_is_no_danger_and_two_may_be_one() -> None:
    for state in (DialogueState(), asking_for_county()):
        assert (await hear(Told({}, danger=0.3), "自己", state)).said.event is None
        assert (await hear(Told({}, danger=0.9), "我", state)).said.event is None
        assert (await hear(Told({}, danger=0.9), "喝药", state)).said.event == CRISIS_EVENT


@pytest.mark.parametrize("text", ["上吊扇掉下来砸坏桌子", "他杀价杀得凶", "我男的打工去了", "活路没得干了"])
async def test_what_only_sounds_like_a_danger_is_none_by_the_model_alone(text: str) -> None:
    heard = await hear(Told({}, danger=0.9), text)
    assert heard.said.event is None
    assert heard.understood is not None
    assert "crisis" not in heard.understood.intents


def test_a_subject_that_is_likelier_is_told_with_out_of_scope() -> None:
    guesses = (Guess("register_work_study", 0.53), Guess("out_of_scope", 0.26), Guess("faq_work_study", 0.11))
    told = understood(Ranking(guesses, "model"))
    assert (told.intents, told.certainty) == (("out_of_scope", "register_work_study"), "sure")


async def test_a_possible_danger_is_nothing_where_something_else_is_sure() -> None:
    heard = await hear(Told(SURE, danger=0.1), "消费券在哪领")
    assert heard.said.event is None


async def test_a_danger_is_no_choice_where_nothing_is_understood() -> None:
    heard = await hear(Told({"我一个人在这里": ("chitchat", 0.47)}, danger=0.1), "我一个人在这里")
    assert heard.understood is not None
    assert (heard.understood.intents, heard.understood.certainty) == ((), "lost")


async def test_a_possible_danger_is_asked_about_once_a_day() -> None:
    asked = replace(DialogueState(), slots={"crisis_checked_on": NOW.date().isoformat()})
    heard = await hear(Told({}, danger=0.1), "我一个人在这里", asked)
    assert heard.said.event is None


async def test_a_danger_in_one_part_counts_for_the_whole() -> None:
    heard = await hear(Told(SURE, danger=0.5), "帮我查下进度，顺便问下消费券在哪领")
    assert heard.said.event == CRISIS_EVENT


@pytest.mark.parametrize(
    ("text", "guess", "intent"),
    [
        ("年假", ("chitchat", 0.9), "faq_labour_law"),
        ("年假", ("out_of_scope", 0.6), "faq_labour_law"),
        ("年假", ("faq_events", 0.05), "faq_labour_law"),
        ("年假", ("handoff_human", 0.9), "handoff_human"),
        ("今天好热", ("chitchat", 0.9), "chitchat"),
    ],
)
async def test_a_known_question_is_no_small_talk(text: str, guess: tuple[str, float], intent: str) -> None:
    heard = await hear(Told({text: guess}), text)
    assert heard.understood is not None
    assert (heard.understood.intents[0], heard.understood.certainty) == (intent, "sure")
