"""Choosing from a list: by number in any form, 最后一个, label, part of a label, or a label as it sounds.

Works on anything that has a label and aliases, and gives back the very option that was meant.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from bot.values.characters import normalise
from bot.values.moments import moments_of
from bot.values.numerals import small_number
from bot.values.problem import Problem
from bot.values.sounds import sound_distance, sounds_of


class Choosable(Protocol):
    """What an option must have: the label that people see, and other words for it."""

    @property
    def label(self) -> str: ...

    @property
    def aliases(self) -> tuple[str, ...]: ...


OptionT = TypeVar("OptionT", bound=Choosable)


@dataclass(frozen=True, slots=True)
class Option:
    """A plain option."""

    id: str
    label: str
    aliases: tuple[str, ...] = ()


MAX_OPTION_CHARS = 80
PAIR = 2
_SHORTEST_PIECES, _LONGEST_PIECES = 4, 16
_HALF_DAYS = ("上午", "下午", "中午", "晚上")

_NUMBER = "(?:[0-9]{1,3}|[一二三四五六七八九十两]{1,3})"
_MEASURE = "(?:个|项|号|条|种|行|家|位|样)"
_LEAD = re.compile("^(?:我们?|那|就|还是|想要?|要|选择?|填|点|按|是|回复?|数字|选项|编号|序号)*\\s*:?\\s*")
_TAIL = re.compile(
    "[\\s,。.!、;~)]*(?:[嘛嘞哈哦咯噻啊呀呢吧了的]|那个|这个|就行|就好|要得|得行|可以|谢谢)*[\\s,。.!、;~)]*$"
)
_ORDINAL = re.compile(rf"(?P<from_end>倒数)?\(?第?\s?(?P<number>{_NUMBER})\s?{_MEASURE}?\)?")
_LAST = re.compile(f"最后(?:[一1]?{_MEASURE})?|末尾|倒数第[一1]{_MEASURE}?|最[下后]面(?:[一1]?{_MEASURE})?")
_FIRST = re.compile(f"(?:头|开头|打头|最开始)[一1]?{_MEASURE}?|最[上前]面(?:[一1]?{_MEASURE})?")
_UPPER = re.compile(f"[上前]面?(?:[一1]?{_MEASURE}|头)?")
_LOWER = re.compile(f"[下后]面?(?:[一1]?{_MEASURE}|头)?")
_MIDDLE = re.compile(f"(?:正?中间|当中)(?:[一1]?{_MEASURE})?")
_A_MOMENT = frozenset({"一哈", "一哈哈", "等一哈", "一下", "一点"})
_NUMBER_THEN_LABEL = re.compile(
    rf"(?:(?P<number>[0-9]{{1,2}})[\s.、:)]+|第(?P<ordinal>{_NUMBER}){_MEASURE}[\s,]*)(?P<label>[^0-9\s.、:)].*)"
)
_SEPARATORS = re.compile(r"(?:[、,;/+&\s。]|和|跟|还有|以及|与)+")
_RANGE = re.compile(rf"第?(?P<first>{_NUMBER}){_MEASURE}?\s?(?:到|至|-|~)\s?第?(?P<last>{_NUMBER}){_MEASURE}?")
_FIRST_FEW = re.compile(rf"前面?(?P<last>{_NUMBER}){_MEASURE}?")
_LAST_FEW = re.compile(rf"(?:后面?|最后)(?P<few>{_NUMBER}){_MEASURE}")
_ALL = re.compile("(?:都|全部|全都?|统统|所有的?|随便|哪个都)(?:要|选|可以|行|得行|是|有|报|参加|要得)?")
_ALL_BUT = re.compile(
    "(?:除了?|不要|不选)(?P<excepted>.+?)(?:以外|之外|外)?[,\\s]*(?:其他|其它|别的|剩下)?的?(?:都要?|全要?|都选)"
    "|除了?(?P<only_excepted>.{1,12})"
)
_NEGATED = re.compile("(?:不[要选是想]|莫|别|没)")
_NOT = frozenset("不没莫别")
_NONE_OF_THEM = re.compile("(?:以上)?(?:都|全)?[没无不]")
_NEGATION_REACH = 3
_SIGNS = re.compile("[\\s,.。、;:!?()\\[\\]<>《》“”\"'·~\\-]+")
_SHORTEST_TYPO = 3


def parse_option(text: str, options: Sequence[OptionT]) -> OptionT | Problem:
    """Return the one option that ``text`` chooses."""
    if len(text) > MAX_OPTION_CHARS:
        return _not_found(options)
    plain = normalise(text)
    core = _core(plain)
    if _ALL.fullmatch(core) and not _labelled(options, (plain, core)):
        return Problem("option.only_one")
    chosen = _choose(plain, core, options)
    if isinstance(chosen, Problem) and chosen.code == "option.not_found":
        pieces = _pieces(core)
        several = (_choose(piece, _core(piece), options) for piece in pieces)
        if len(pieces) > 1 and not any(isinstance(choice, Problem) for choice in several):
            return Problem("option.only_one")
    return chosen


def parse_options(
    text: str, options: Sequence[OptionT], *, minimum: int = 1, maximum: int | None = None
) -> tuple[OptionT, ...] | Problem:
    """Return the options that ``text`` chooses, in the order said, each once."""
    if len(text) > MAX_OPTION_CHARS * 4:
        return _not_found(options)
    plain = normalise(text)
    chosen = _choose_several(plain, _core(plain), options)
    if isinstance(chosen, Problem):
        return chosen
    if len(chosen) < minimum:
        return Problem("option.too_few", {"minimum": minimum})
    if maximum is not None and len(chosen) > maximum:
        return Problem("option.too_many", {"maximum": maximum})
    return tuple(chosen)


def _choose(plain: str, core: str, options: Sequence[OptionT]) -> OptionT | Problem:
    labelled = _labelled(options, (plain, core))
    if labelled:
        return _single(labelled)
    position = _position(core, len(options))
    is_no_place = plain in _A_MOMENT or (position is None and _is_relative(core))
    if is_no_place:
        return _not_found(options)
    if position is not None and 1 <= position <= len(options):
        return options[position - 1]
    if tapped := _NUMBER_THEN_LABEL.fullmatch(core):
        number = small_number(tapped["number"] or tapped["ordinal"]) or 0
        return _tapped(number, tapped["label"], options, is_label_needed=tapped["number"] is None)
    candidates = _contained(plain, options)
    if not candidates and not _NEGATED.match(core):
        candidates = (
            _containing(core, options)
            or _at_that_time(plain, options)
            or _in_pieces(core, options)
            or _heard(core, options)
        )
    if candidates:
        return _single(candidates)
    if position is not None:
        return Problem("option.out_of_range", {"maximum": len(options)})
    return _not_found(options)


def _choose_several(plain: str, core: str, options: Sequence[OptionT]) -> list[OptionT] | Problem:
    if labelled := _labelled(options, (plain, core)):
        return labelled[:1]
    if _ALL.fullmatch(core):
        return [option for option in options if not _NONE_OF_THEM.match(option.label)]
    if but := _ALL_BUT.fullmatch(core):
        named = but["excepted"] or but["only_excepted"]
        excepted = _choose_several(named, _core(named), options)
        if isinstance(excepted, Problem):
            return excepted
        return [option for option in options if option not in excepted and not _NONE_OF_THEM.match(option.label)]
    if (span := _RANGE.fullmatch(core)) or (span := _FIRST_FEW.fullmatch(core)):
        first = small_number(span.groupdict().get("first") or "1") or 0
        last = small_number(span["last"]) or 0
        return list(options[first - 1 : last]) if 1 <= first <= last <= len(options) else _out_of_range(options)
    if span := _LAST_FEW.fullmatch(core):
        few = small_number(span["few"]) or 0
        return list(options[-few:]) if 1 <= few <= len(options) else _out_of_range(options)
    return _choose_pieces(plain, _pieces(core), options)


def _choose_pieces(plain: str, pieces: list[str], options: Sequence[OptionT]) -> list[OptionT] | Problem:
    chosen: list[OptionT] = []
    for piece in pieces:
        option = _choose(piece, _core(piece), options)
        if isinstance(option, Problem):
            # A label may hold a separator itself, and 13 may be 1 and 3.
            return _contained(plain, options) or _digit_by_digit(plain, options) or option
        if option not in chosen:
            chosen.append(option)
    return chosen or _not_found(options)


def _core(plain: str) -> str:
    return _TAIL.sub("", _LEAD.sub("", plain)) or plain


def _pieces(core: str) -> list[str]:
    return [piece for piece in _SEPARATORS.split(core) if piece]


def _position(core: str, count: int) -> int | None:
    """Return the place that a number or 最上面 means, counted from 1; it may be out of range."""
    if _LAST.fullmatch(core) or (count == PAIR and _LOWER.fullmatch(core)):
        return count
    if _FIRST.fullmatch(core) or (count == PAIR and _UPPER.fullmatch(core)):
        return 1
    if _MIDDLE.fullmatch(core) and count % 2:
        return count // 2 + 1
    match = _ORDINAL.fullmatch(core)
    if match is None:
        return None
    number = small_number(match["number"])
    return count + 1 - number if number is not None and match["from_end"] else number


def _is_relative(core: str) -> bool:
    """Say whether a place is meant that cannot be told among so many: 上面那个 of four."""
    return any(pattern.fullmatch(core) for pattern in (_UPPER, _LOWER, _MIDDLE))


def _at_that_time(plain: str, options: Sequence[OptionT]) -> list[OptionT]:
    """Return the options at the days and hours that the text names: 21号, 八点半, 下午两点."""
    wanted = moments_of(plain)
    if not wanted:
        return []
    halves = [half for half in _HALF_DAYS if half in plain]
    return [
        option
        for option in options
        if wanted <= moments_of(option.label) and all(half in option.label for half in halves)
    ]


def _in_pieces(core: str, options: Sequence[OptionT]) -> list[OptionT]:
    """Return the options whose label holds the whole of the text in pieces: 妇幼下午."""
    plain = _plain(core)
    if not _SHORTEST_PIECES <= len(plain) <= _LONGEST_PIECES:
        return []
    return [option for option in options if _is_pieced(plain, _plain(option.label))]


def _is_pieced(plain: str, label: str) -> bool:
    """Say whether ``plain`` falls into parts of two or more characters that ``label`` has."""
    reached = {0}
    for end in range(2, len(plain) + 1):
        if any(end - start >= PAIR and start in reached and plain[start:end] in label for start in range(end - 1)):
            reached.add(end)
    return len(plain) in reached


def _tapped(number: int, label: str, options: Sequence[OptionT], *, is_label_needed: bool) -> OptionT | Problem:
    """Read 1 开始报名, as tapped or copied; the number and the label must not name two different options."""
    named = _labelled(options, (label,)) or _contained(label, options) or _containing(label, options)
    numbered = [options[number - 1]] if 1 <= number <= len(options) else []
    if is_label_needed and not named:
        return _not_found(options)
    if not numbered:
        return _single(named) if named else _out_of_range(options)
    return numbered[0] if not named or numbered[0] in named else _single([*numbered, *named])


def _labelled(options: Sequence[OptionT], texts: Iterable[str]) -> list[OptionT]:
    plains = {_plain(text) for text in texts} - {""}
    return [option for option in options if not plains.isdisjoint(_words(option.label, option.aliases))]


def _contained(text: str, options: Sequence[OptionT]) -> list[OptionT]:
    """Return the options whose words stand in the text, in that order; longer words are looked for first.

    不是松桃,是碧江 leaves 松桃 out; a 不 that belongs to no option leaves nothing.
    """
    plain = _plain(text)
    words = [(word, option) for option in options for word in _words(option.label, option.aliases) if len(word) > 1]
    found: list[tuple[int, OptionT]] = []
    refused: list[OptionT] = []
    for word, option in sorted(words, key=lambda pair: -len(pair[0])):
        place = plain.find(word)
        if place < 0:
            continue
        reach = max(0, place - _NEGATION_REACH)
        is_refused = not _NOT.isdisjoint(plain[reach:place])
        start = reach if is_refused else place
        plain = plain[:start] + "#" * (place + len(word) - start) + plain[place + len(word) :]
        if is_refused:
            refused.append(option)
        else:
            found.append((place, option))
    if not _NOT.isdisjoint(plain):
        return []
    found.sort(key=lambda pair: pair[0])
    chosen: list[OptionT] = []
    for _, option in found:
        if option not in chosen and option not in refused:
            chosen.append(option)
    return chosen


def _containing(core: str, options: Sequence[OptionT]) -> list[OptionT]:
    """Return the options with a word that the text is a part of; a single character must be its beginning."""
    plain = _plain(core)
    if not plain or plain.isdecimal():
        return []
    matches = str.startswith if len(plain) == 1 else str.__contains__
    return [
        option for option in options if any(matches(word, plain) for word in _words(option.label, option.aliases))
    ]


def _heard(core: str, options: Sequence[OptionT]) -> list[OptionT]:
    """Return the options that sound most like the text, with one syllable wrong at most."""
    plain = _plain(core)
    longest = max((len(word) for option in options for word in _words(option.label, option.aliases)), default=0)
    if not 2 <= len(plain) <= longest + 1:
        return []
    heard = sounds_of(plain)
    limit = 1 if len(heard) >= _SHORTEST_TYPO else 0
    is_negated = not _NOT.isdisjoint(plain)
    scored = [(_distance(heard, option, limit, is_negated=is_negated), option) for option in options]
    best = min((score for score, _ in scored), default=limit + 1)
    return [option for score, option in scored if score == best] if best <= limit else []


def _distance(heard: tuple[str, ...], option: Choosable, limit: int, *, is_negated: bool) -> int:
    nearest = limit + 1
    for word in _words(option.label, option.aliases):
        # A syllable too many is a typo, but a 不 too many is the opposite.
        is_opposite = is_negated and _NOT.isdisjoint(word)
        allowed = 0 if is_opposite or len(word) < _SHORTEST_TYPO else limit
        distance = sound_distance(heard, _sounds_of_word(word), allowed)
        if distance <= allowed:
            nearest = min(nearest, distance)
    return nearest


def _digit_by_digit(plain: str, options: Sequence[OptionT]) -> list[OptionT]:
    digits = _plain(plain)
    places = [int(digit) for digit in digits] if digits.isascii() and digits.isdecimal() else []
    is_several = len(set(places)) == len(places) > 1
    return (
        [options[place - 1] for place in places]
        if is_several and 1 <= min(places) <= max(places) <= len(options)
        else []
    )


def _single(candidates: Sequence[OptionT]) -> OptionT | Problem:
    if len(candidates) == 1:
        return candidates[0]
    labels = tuple(option.label for option in candidates)
    return Problem("option.ambiguous", {"candidates": "、".join(labels)}, labels)


def _not_found(options: Sequence[Choosable]) -> Problem:
    return Problem("option.not_found", {"maximum": len(options)})


def _out_of_range(options: Sequence[Choosable]) -> Problem:
    return Problem("option.out_of_range", {"maximum": len(options)})


def _plain(text: str) -> str:
    return _SIGNS.sub("", normalise(text)).casefold()


@lru_cache(maxsize=4096)
def _sounds_of_word(word: str) -> tuple[str, ...]:
    return sounds_of(word)


@lru_cache(maxsize=4096)
def _words(label: str, aliases: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in dict.fromkeys(_plain(text) for text in (label, *aliases)) if word)
