"""Generated texts and values for the property tests: what workers could write, and valid values in many spellings."""

import re
from datetime import date

from hypothesis import strategies as st

from bot.values.identity import check_character

TODAY = date(2026, 6, 17)
"""A Wednesday."""

_WORDS = (
    "我 叫 是 杨小芳 姓名: 电话 身份证 13800000000 138 0000 520602199003079980 520602 19900307 9980 "
    "52062520120901997X 叉 艾克斯 幺 洞 一三八 二〇二六 + 86 0086 0856-5220000 - – / . · ， 。 ： : ( ) ① "
    "１ ８ 第 二 个 2号 最后一个 都要 1和3 和 、 十几 三十多 五个 人 号 月 年 日 6月20号 2026-7-1 7/15 "
    "下周三 今天 明天 大后天 农历 腊月 初五 正月 廿 去年 10月 到 至 上午 九点半 8:30 两点 晚上 千 万 块 "
    "一万二 3千5 5-8 多 左右 几 把 上 松桃 碧江 嘞 上班 那边 高新区 大龙 坝黄镇 铜仁 同意 不 没 问题 要得 "
    "得行 莫 算了 可以 吗 ? 好多 钱 咋个 QG26-0713-0042 qg26 91520602MA6000008A H12345678 E1 \u200b "
    "\ufe0f 😀 𬭊 \t \n 零 百 亿 半 点 分 天 后 前 周 星期 第 开始报名 法律咨询"
)
FRAGMENTS = tuple(_WORDS.split(" "))


def messy_texts() -> st.SearchStrategy[str]:
    """Words of this domain in any order, mixed with any characters at all."""
    pieces = st.sampled_from(FRAGMENTS) | st.text(max_size=5) | st.sampled_from([" ", ""])
    return st.lists(pieces, max_size=14).map("".join)


def identity_numbers(born_before: date = TODAY) -> st.SearchStrategy[str]:
    """Well-formed numbers of nobody: any area, any birth date up to ``born_before``, the order codes 996 to 999."""

    def build(area: int, born: date, order: int) -> str:
        digits = f"{area:06d}{born:%Y%m%d}{order:03d}"
        return digits + check_character(digits)

    return st.builds(
        build,
        st.integers(110000, 990000),
        st.dates(date(born_before.year - 119, 1, 1), born_before),
        st.integers(996, 999),
    )


def mobiles() -> st.SearchStrategy[str]:
    """Eleven digits that a mobile may have."""
    return st.from_regex(r"\A1[3-9][0-9]{9}\Z")


@st.composite
def spoken_mobiles(draw: st.DrawFn) -> tuple[str, str]:
    """A mobile, and the same number as it is told aloud and taken down by whoever, or whatever, listens."""
    number = draw(mobiles())
    repeats = draw(st.booleans())
    parts: list[str] = []
    for run in re.finditer(r"(.)\1*", number):
        digit, length = run[1], len(run[0])
        named = draw(st.sampled_from(_TOLD[digit]))
        if repeats and run.start() and 2 <= length <= 8:
            word = "双" if length == 2 and draw(st.booleans()) else f"{'零一两三四五六七八'[length]}个"
            parts.append(f"{word}{_PLAIN[digit]}")
        else:
            parts.append(named * length)
        parts.append(draw(st.sampled_from(["", "", "", " ", "，", "嗯", "那个"])))
    parts.pop()
    first = "幺" if draw(st.booleans()) else "1"
    before = draw(st.sampled_from(["", "我的电话是", "打我电话嘛 ", "龙小芳，"]))
    after = draw(st.sampled_from(["", "哈", "。", "，碧江的"]))
    told = "".join(parts)
    return number, f"{before}{first}{told[1:] if told[0] in '1一幺' else told}{after}"


_PLAIN = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_TOLD = {digit: [digit, word] for digit, word in _PLAIN.items()}
_TOLD["0"].append("洞")
_TOLD["1"].append("幺")
_TOLD["7"].append("拐")

_SPELLINGS = {
    "full width": str.maketrans("0123456789", "０１２３４５６７８９"),
    "spoken": str.maketrans("0123456789", "零一二三四五六七八九"),
    "spoken, 幺 and 洞": str.maketrans("0123456789", "洞幺二三四五六七八九"),
    "as typed": str.maketrans("", ""),
}


@st.composite
def decorated(draw: st.DrawFn, numbers: st.SearchStrategy[str], blank: str = " -") -> tuple[str, str]:
    """A number, and the same number as somebody might write it: spelt out, with blanks, in a sentence."""
    number = draw(numbers)
    spelling = draw(st.sampled_from(sorted(_SPELLINGS)))
    parts = list(number.translate(_SPELLINGS[spelling]))
    for place in draw(st.sets(st.integers(1, len(parts) - 1), max_size=3)):
        parts[place] = draw(st.sampled_from(blank)) + parts[place]
    before = draw(st.sampled_from(["", "我的号码是", "号码：", " ", "哎,", "是 "]))
    after = draw(st.sampled_from(["", "嘛", "。", " 谢谢", "，对的"]))
    return number, f"{before}{''.join(parts)}{after}"
