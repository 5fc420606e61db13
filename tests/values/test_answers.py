"""Yes and no."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.values.answers import Answer, parse_answer
from bot.values.problem import Problem

YES = (
    "要得 得行 可以 阔以 好嘛 好嘞 好的 好好好 行 行行行 同意 同意嘛 我同意 同意。 愿意 我愿意 嗯 嗯嗯 对 "
    "对头 对的 是 是的 是嘞 成 中 要 确认 没问题 没得问题 莫得问题 没意见 没错 没事 不反对 不是不可以 "
    "不得不同意 没有不同意 不会不同意 都可以 OK ok Okay YES y 👌 👍 [OK] 要得嘛 可以哈 同意你们收集信息 "
    "行，谢谢 Ｏｋ 嗯呐 是滴 当然 必须的 肯定 报嘛 搞嘛 好哒 好滴 可已 使得 有 是这样的 要撒 妥"
)
NO = (
    "不得行 要不得 搞不成 算了 还是算了 不同意 不太同意 不想同意 是不同意 莫 莫搞了 莫整咯 别 不 不了 "
    "不嘛 不行 不行不行 不要 不用了 不好 不可以 不愿意 不需要 不报了 不去了 我不 不是 不是的 不对 没有 否 "
    "no NO n 拒绝 反对 有意见 取消 不同意收集我的信息 不想要 "
    "布是 补要 布行 木有 木得 算球 懒得 使不得 嗯不要 嗯，不要 肯定不 不怎么想 不得要 🙅"
)
ASKING = "要得不? 要得不 行不行 可以吗 得不得行 是不是 好多钱 好久开始 哪个 同意不同意 要不要得 可以不嘛"
UNCLEAR = (
    "晓得了 随便 再说 等哈 杨小芳 1 好难 不好意思 不客气 不晓得 可以的话我就报 不是不可以但是要等我老公 "
    "同意要等老公回来 应该吧 13800000000"
)
MIXED = ("不是，我同意", "好，算了", "可以不去", "同意不了", "行又不行")


@pytest.mark.parametrize("text", YES.split(" "))
def test_yes(text: str) -> None:
    assert parse_answer(text) is Answer.YES


@pytest.mark.parametrize("text", NO.split(" "))
def test_no(text: str) -> None:
    assert parse_answer(text) is Answer.NO


@pytest.mark.parametrize("text", ASKING.split(" "))
def test_a_question_is_no_answer(text: str) -> None:
    assert parse_answer(text) == Problem("answer.question")


@pytest.mark.parametrize("text", [*UNCLEAR.split(" "), "", "。"])
def test_unclear(text: str) -> None:
    assert parse_answer(text) == Problem("answer.unclear")


@pytest.mark.parametrize("text", MIXED)
def test_both_is_neither(text: str) -> None:
    assert parse_answer(text) == Problem("answer.mixed")


STRONG_WORDS = st.sampled_from(["同意", "可以", "要得", "得行", "愿意"])
DECORATIONS = st.sampled_from(["{}", "{}嘛", "我{}", "{}的。", " {} ", "那就{}哈", "{}，谢谢"])


@given(STRONG_WORDS, DECORATIONS, st.integers(0, 3))
def test_each_negation_turns_the_answer_once(word: str, decoration: str, negations: int) -> None:
    if word in {"要得", "得行"} and negations:
        return  # 不要得 is not said; 要不得 and 不得行 are words of their own.
    text = decoration.format("不是" * (negations - 1) + "不" * min(negations, 1) + word)
    assert parse_answer(text) is (Answer.NO if negations % 2 else Answer.YES)


@given(STRONG_WORDS, st.sampled_from(["吗", "不", "吗？", "不嘛"]))
def test_the_same_word_asked_is_no_consent(word: str, ending: str) -> None:
    assert parse_answer(word + ending) == Problem("answer.question")


@given(STRONG_WORDS, st.sampled_from(["但是", "除非", "如果", "等"]), st.text("的我他老公回来钱", max_size=6))
def test_a_condition_is_no_consent(word: str, condition: str, rest: str) -> None:
    assert isinstance(parse_answer(word + condition + rest), Problem)
