"""When a candidate may serve: nobody loses more than two points, and crisis loses nothing."""

from collections.abc import Mapping

import pytest

from bot.understanding.evaluation import Example, evaluate
from bot.understanding.models import Guess, Ranking
from bot.understanding.promotion import Count, Figures, judge


def figures(by_intent: Mapping[str, tuple[int, int]], crisis_noticed: tuple[int, int] = (15, 15)) -> Figures:
    counts = {intent: Count(*count) for intent, count in by_intent.items()}
    return Figures(counts, Count(*crisis_noticed), 0.9, 0.9, 0.0, 0.0)


@pytest.mark.parametrize(
    ("before", "after", "objects"),
    [
        ((100, 100), (98, 100), False),  # Exactly two points.
        ((100, 100), (97, 100), True),
        ((15, 15), (14, 15), True),  # One text of a small set is more than two points.
        ((50, 51), (49, 51), False),
        ((10, 15), (15, 15), False),
    ],
)
def test_an_intent_may_lose_two_points(before: tuple[int, int], after: tuple[int, int], *, objects: bool) -> None:
    verdict = judge(figures({"greet": before, "thank": (1, 2)}), figures({"greet": after, "thank": (2, 2)}))
    assert bool(verdict.objections) is objects


def test_an_objection_says_how_many_texts_it_is_about() -> None:
    verdict = judge(figures({"faq_app": (15, 15)}), figures({"faq_app": (14, 15)}))
    assert verdict.objections == ("faq_app loses 6.7 points: 1 text of 15",)


def test_crisis_may_lose_nothing_however_large_the_set() -> None:
    verdict = judge(figures({"crisis": (200, 200)}), figures({"crisis": (199, 200)}))
    assert verdict.objections == ("crisis loses 0.5 points: 1 text of 200",)


def test_danger_that_words_and_model_noticed_together_may_not_go_unnoticed() -> None:
    verdict = judge(figures({"crisis": (10, 15)}, (15, 15)), figures({"crisis": (10, 15)}, (14, 15)))
    assert verdict.objections == ("danger is noticed in 14 of 15 texts, before in 15",)


def test_gains_elsewhere_make_up_for_nothing() -> None:
    before, after = {"greet": (5, 15), "thank": (15, 15)}, {"greet": (15, 15), "thank": (14, 15)}
    verdict = judge(figures(before), figures(after))
    assert [change.intent for change in verdict.changes if change.loses_too_much] == ["thank"]


class Scripted:
    """Guesses what it was told to."""

    def __init__(self, guesses: Mapping[str, tuple[str, float]]) -> None:
        self._guesses = guesses

    async def rank(self, text: str, budget_s: float) -> Ranking:
        del budget_s
        return Ranking((Guess(*self._guesses[text]),), "model", "m1")


async def test_the_figures_are_those_of_the_report() -> None:
    examples = [
        Example("你好", ("greet",), "test"),
        Example("嗨", ("greet", "chitchat"), "test"),
        Example("我难受得很", ("crisis",), "test"),
        Example("我要跳楼", ("crisis",), "test"),
    ]
    guesses = {
        "你好": ("greet", 0.9),
        "嗨": ("chitchat", 0.9),
        "我难受得很": ("chitchat", 0.9),
        "我要跳楼": ("complaint", 0.9),
    }
    found = Figures.of(await evaluate(Scripted(guesses), examples))
    assert found.by_intent == {"crisis": Count(0, 2), "greet": Count(2, 2)}
    assert found.crisis_noticed == Count(1, 2)  # Words notice 跳楼 without the model.
    assert (found.strict, found.lenient) == (0.25, 0.5)
    assert found.to_json()["by_intent"]["greet"] == {"right": 2, "of": 2}
