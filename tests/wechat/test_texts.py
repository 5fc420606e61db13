"""Texts are cut where a reader would pause, and nothing of them is lost."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.wechat.texts import MAX_BYTES, MAX_CHARS, clean, fits, split_text

LINK = '<a href="https://example.com/?a=1&b=2">办事指南</a>'
LINKS = re.compile(r"<a\b[^<>]*>([^<]*)</a>")
ANY_TAG = re.compile(r"</?a[^<>]*>")

chinese = st.text(alphabet="工会 职工，。！？；\n勤工俭学ab.1", max_size=400)
pieces_of_text = st.lists(
    st.one_of(
        chinese,
        st.just(LINK),
        st.text(max_size=30),
        st.sampled_from(["<a", "</a>", "<", "<a href=x>", "👨\u200d👩\u200d👧"]),
    ),
    max_size=8,
)


def seen(text: str) -> str:
    return LINKS.sub(r"\1", text)


def squeezed(text: str) -> str:
    return "".join(text.split())


class TestSplit:
    def test_short_text_stays_whole(self) -> None:
        assert split_text("您好！\n请说。") == ["您好！\n请说。"]

    @pytest.mark.parametrize("text", ["", "  \n ", "\x00"])
    def test_nothing_gives_nothing(self, text: str) -> None:
        assert split_text(text) == []

    def test_paragraphs_before_sentences_before_clauses(self) -> None:
        assert split_text("一二三。\n四五六。七八", max_chars=10) == ["一二三。", "四五六。七八"]
        assert split_text("一二三四。五六，七八九十", max_chars=10) == ["一二三四。", "五六，七八九十"]
        assert split_text("一二三四五六，七八九十", max_chars=10) == ["一二三四五六，", "七八九十"]
        assert split_text("一二三四五六七八九十百", max_chars=10) == ["一二三四五六七八九十", "百"]

    def test_a_sentence_end_takes_its_closing_quote_along(self) -> None:
        assert split_text("他说：“可以报名。”我们记下了", max_chars=12) == ["他说：“可以报名。”", "我们记下了"]

    def test_a_full_stop_in_a_number_is_no_end(self) -> None:
        assert split_text("补贴每月是1800.50元整请查收", max_chars=12) == ["补贴每月是1800.50", "元整请查收"]

    def test_a_link_is_never_cut(self) -> None:
        text = "请看" * 4 + LINK + "谢谢"
        assert split_text(text, max_chars=10) == ["请看" * 4, LINK + "谢谢"]

    def test_a_link_counts_with_the_characters_that_are_seen(self) -> None:
        text = LINK * 20
        assert split_text(text, max_chars=80) == [text]
        assert len(split_text(text, max_bytes=600)) > 1

    def test_a_link_that_is_too_long_keeps_its_text(self) -> None:
        long_link = f'<a href="https://example.com/{"x" * 300}">指南</a>'
        assert split_text(f"请看{long_link}。", max_bytes=100) == ["请看", "指南。"]

    def test_joined_emoji_stay_together(self) -> None:
        family = "👨\u200d👩\u200d👧"
        assert split_text("好" * 8 + family, max_chars=10) == ["好" * 8, family]

    def test_limits_without_room_are_refused(self) -> None:
        with pytest.raises(ValueError, match="no room"):
            split_text("好", max_bytes=3)

    @settings(max_examples=200, deadline=None)
    @given(pieces_of_text.map("".join), st.integers(8, 200), st.integers(3, 60))
    def test_pieces_fit_and_keep_everything(self, text: str, max_bytes: int, max_chars: int) -> None:
        pieces = split_text(text, max_bytes, max_chars)
        assert all(pieces)
        for piece in pieces:
            assert len(piece.encode()) <= max_bytes
            assert len(seen(piece)) <= max_chars
        # Markup that did not fit may be gone, never what is read.
        assert ANY_TAG.sub("", squeezed("".join(pieces))) == ANY_TAG.sub("", squeezed(clean(text)))

    @settings(max_examples=100, deadline=None)
    @given(st.lists(st.one_of(chinese, st.just(LINK)), max_size=12).map("".join))
    def test_no_link_of_ordinary_size_is_torn(self, text: str) -> None:
        pieces = split_text(text, max_bytes=300, max_chars=60)
        assert sum(piece.count(LINK) for piece in pieces) == text.count(LINK)
        assert squeezed("".join(pieces)) == squeezed(text)

    def test_hostile_text_is_split_quickly(self) -> None:
        for unit in ("<a href=x>", "<a ", " ", "a\u0301", "</a>", "。", "\u200d"):
            pieces = split_text(unit * 5_000)
            assert all(fits(piece) for piece in pieces)


class TestClean:
    @pytest.mark.parametrize(
        ("text", "cleaned"),
        [
            ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
            ("a  \nb\u3000", "a\nb"),
            ("a\n\n\n\nb", "a\n\nb"),
            ("  a\x00\x1f\ud800b  ", "ab"),
        ],
    )
    def test_clean(self, text: str, cleaned: str) -> None:
        assert clean(text) == cleaned

    @given(st.text())
    def test_cleaning_twice_changes_nothing(self, text: str) -> None:
        assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("text", "fitting"),
    [("好" * MAX_CHARS, True), ("好" * (MAX_CHARS + 1), False), ("𠮷" * 475, True), ("𠮷" * 476, False)],
)
def test_fits(text: str, fitting: bool) -> None:
    assert (len(text) <= MAX_CHARS and len(text.encode()) <= MAX_BYTES) is fitting
    assert fits(text) is fitting
