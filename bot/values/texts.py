"""Free text: stored form, length limits, personal numbers masked, and whether it asks something."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from bot.values.characters import fold, fold_digits, normalise
from bot.values.found import Found
from bot.values.phones import Mobile, find_mobiles
from bot.values.problem import Problem
from bot.values.receipts import find_receipts

__all__ = ["looks_like_question", "mask_number", "mask_personal", "normalise", "parse_free_text", "tidy"]

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r" ?\n[ \n]*")


def tidy(text: str) -> str:
    """Return ``text`` with its own punctuation and lines, without invisible characters and runs of blanks."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    if not plain.isprintable():
        plain = "".join(char for char in plain if char == "\n" or unicodedata.category(char) not in _INVISIBLE)
    return _LINES.sub("\n", _BLANKS.sub(" ", plain)).strip()


def parse_free_text(text: str, *, max_chars: int, min_chars: int = 1) -> str | Problem:
    """Return ``tidy(text)`` when it has ``min_chars`` to ``max_chars`` characters."""
    tidied = tidy(text)
    if not tidied:
        return Problem("text.empty")
    if len(tidied) < min_chars:
        return Problem("text.too_short", {"minimum": min_chars})
    if len(tidied) > max_chars:
        return Problem("text.too_long", {"maximum": max_chars, "extra": len(tidied) - max_chars})
    return tidied


# --- Masking -------------------------------------------------------------------------------------------------------

_SHORTEST_RUN = 9
_RUN = re.compile(r"[0-9](?:[\s\-._·]{0,2}[0-9]){8,}(?:[\s-]?(?:[xX](?![A-Za-z])|叉|艾克斯|爱克斯))?")
_DOCUMENT = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,3}[0-9]{7,15}(?![A-Za-z0-9])")
_DAY = r"(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}"
_DAYS = re.compile(rf"{_DAY}(?:\s[0-9]{{1,2}}|[\s-]{{1,3}}{_DAY})?|(?:19|20)[0-9]{{6}}-(?:19|20)[0-9]{{6}}")
_PIECE = re.compile(r"\S+")
_COMPLETE = re.compile(r"1[3-9][0-9]{9}|[0-9]{15}|[0-9]{17}[0-9xX]|[0-9]{16}|[0-9]{19}")


def mask_personal(text: str) -> str:
    """Return ``text`` with every number that could be a person's masked: identity, phone, bank card, passport.

    Goes by the length of the run of digits (typed or spoken, with blanks and dashes), not by whether the number is
    valid, because a number with one wrong digit says almost as much. Receipt numbers and dates stay.
    """
    spans = sorted(_personal_spans(text))
    folded = fold_digits(text)
    parts, position = [], 0
    for start, end in spans:
        parts += [text[position:start], mask_number(folded[start:end])]
        position = end
    return "".join([*parts, text[position:]])


def mask_number(number: str) -> str:
    """Return a mobile as 138****0000 and anything else with its first three and last two characters."""
    plain = "".join(char for char in number if char.isascii() and char.isalnum())
    if len(plain) < len("000****00"):
        return "*" * len(plain)
    if len(plain) == len("13800000000") and plain.startswith("1"):
        return f"{plain[:3]}****{plain[-4:]}"
    return f"{plain[:3]}{'*' * (len(plain) - 5)}{plain[-2:]}"


def _personal_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield spans that do not overlap: what one step has taken is blotted out before the next one looks."""
    folded = _blotted(fold_digits(text), ((hit.start, hit.end) for hit in find_receipts(text)))
    documents = [match.span() for match in _DOCUMENT.finditer(folded)]
    # 138三个八… has no long run of digits.
    documents += [(hit.start, hit.end) for hit in find_mobiles(_blotted(text, documents)) if _is_spelt(folded, hit)]
    yield from documents
    for run in _RUN.finditer(_blotted(folded, documents)):
        if not _DAYS.fullmatch(run[0]):
            yield from _pieces(run)


def _is_spelt(folded: str, hit: Found[Mobile]) -> bool:
    return _RUN.search(folded, hit.start, hit.end) is None


def _blotted(text: str, spans: Iterable[tuple[int, int]]) -> str:
    chars = list(text)
    for start, end in spans:
        chars[start:end] = "#" * (end - start)
    return "".join(chars)


def _pieces(run: re.Match[str]) -> list[tuple[int, int]]:
    """Return the whole run, or its parts when it is none itself and blanks separate parts that are complete."""
    pieces = list(_PIECE.finditer(run.string, run.start(), run.end()))
    whole = [piece.span() for piece in pieces if _COMPLETE.fullmatch(piece[0])]
    rest = sum(len(piece[0]) for piece in pieces if not _COMPLETE.fullmatch(piece[0]))
    is_one = _COMPLETE.fullmatch("".join(char for char in run[0] if char.isalnum())) is not None
    return [run.span()] if is_one or not whole or rest >= _SHORTEST_RUN // 2 else whole


# --- Questions -----------------------------------------------------------------------------------------------------

_ASKING_WORD = re.compile(
    "咋个|咋[整办样搞弄个]?|啷个|囊个|(?<!不)怎么|怎样|如何|哪[点里儿凯个样天时些家位种]|啥子?|什么|乃样|嘛样|几时|几点钟?"
    "|好多[钱岁天人号]|多少|多久|多大|为啥|凭啥|好久(?=[开能有出到才可结发报])"
    "|有没有|有没得|(?<!不)(?:是不是|能不能|可不可以|得不得|要不要)"
)
_EITHER_OR = re.compile("(?<!不)(?<!没)(?:([^不没\\s])[不没]\\1|(?P<word>[^不没\\s]{2})[不没](?P=word))")
_ANY = re.compile("[都也]")
_ASKING_END = re.compile(
    "(?:吗|么|[呢噻哦嘛]?[?])$|(?:好多|好久|几时)$"
    "|(?<=[^\\s不才我就也都说绝决要定])不(?:嘛|哦|啊|呢|嘞)?$"
    "|(?<=..)(?<![还都也从我他她就])没$|(?<=[好了到过完定额])没有$"
)
_END_MARKS = " 。.!,;、~…"


def looks_like_question(text: str) -> bool:
    """Return whether ``text`` asks something, in standard Chinese or in the dialect of Tongren (咋个, 好多, …不)."""
    core = fold(text).strip(_END_MARKS)
    if not core:
        return False
    if _ASKING_END.search(core) and core not in {"么", "要不", "?"}:
        return True
    if either_or := _EITHER_OR.search(core):
        return not _ANY.search(core, either_or.end())
    word = _ASKING_WORD.search(core)
    return word is not None and not _ANY.match(core, word.end())
