"""What is personal in a text is replaced by neutral words, and what still looks personal is named. Pure."""

import re
from typing import Final

from bot.understanding.models import INTENTS
from bot.values.characters import fold, fold_digits
from bot.values.names import find_names
from bot.values.receipts import find_receipts
from bot.values.surnames import COMPOUND_SURNAMES, SURNAMES
from bot.values.texts import tidy

PHONE, IDENTITY, NUMBER, RECEIPT, NAME, MAIL = "电话号码", "身份证号", "号码", "受理编号", "某某", "邮箱"
MAX_LINE_CHARS: Final = 300
MAX_ROUNDS: Final = 5
"""A stand-in may bring together what was apart, so the text is looked at again until nothing changes."""

_MASKED = re.compile(r"(?<![0-9A-Za-z*])[0-9A-Za-z]{0,3}\*{2,}[0-9A-Za-z]{0,4}(?![0-9A-Za-z*])")
"""What ``mask_personal`` has left of a number."""
_STARS = re.compile(r"\*{2,}")
_DIGITS = re.compile(r"(?<![0-9A-Za-z])[0-9](?:[\s\-._·]{0,2}[0-9]){6,}(?:[\s-]?[xX](?![A-Za-z]))?")
_DOCUMENT = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,3}[0-9]{6,15}(?![A-Za-z0-9])")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_USUALLY_WORDS = "和于都时向有从那全又能广得"
"""Rare surnames that nearly always are words where a title follows (和老师, 有老板)."""
_ONE_CHAR = "".join(sorted(set(SURNAMES) - set(_USUALLY_WORDS)))
_SURNAME = "|".join(sorted(COMPOUND_SURNAMES, key=len, reverse=True)) + f"|[{_ONE_CHAR}]"
_TITLE = "师傅|老师|老板娘?|主任|经理|律师|医生|先生|女士|小姐|书记|科长|局长|处长|队长|工头|组长|同学"
_WITH_TITLE = re.compile(rf"(?!包工头)(?P<surname>{_SURNAME})(?P<given>[\u4e00-\u9fff]{{0,2}}?)(?=(?:{_TITLE}))")
_KIN = "老公|老婆|爱人|丈夫|妻子|爸爸?|妈妈?|父亲|母亲|儿子|女儿|哥哥?|姐姐?|弟弟?|妹妹?|工友|同事|朋友"
_KIN_BEFORE = re.compile(
    rf"(?P<kin>{_KIN})(?:{_SURNAME})[\u4e00-\u9fff]{{2}}(?=被|遭|着|在|说|今年|去世|受伤|上班|打工|[,，。!！]|$)"
)
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

_STILL = (
    ("digits", re.compile(r"[0-9](?:[\s\-._·]{0,2}[0-9]){6,}")),
    ("masked", _STARS),
    ("mail", re.compile(r"\S@\S")),
    ("account", re.compile(r"(?:微信|QQ|qq|支付宝|抖音)号?(?:是|为|:)?\s?[A-Za-z0-9_-]{5,}")),
    ("house", re.compile(r"[0-9]+(?:号楼|栋|幢|单元|号房|室)")),
    ("plate", re.compile(rf"[{_PROVINCES}][A-Z][·\s]?[A-Z0-9]{{5,6}}")),
)
_MARKUP = str.maketrans("[]{}()`", "【】｛｝（）'")


def trainable(text: str) -> str:
    """Return ``text`` as one line without markup and with stand-ins for identity, phone and other numbers, and names.

    Names are replaced where the text itself calls them so (我叫…), behind a relation (我老公…) and before a title
    (王师傅). A bare name elsewhere is for the person who relabels to see: they see this line and may reword it.
    """
    line = _replaced_once(text)
    for _ in range(MAX_ROUNDS):
        line, before = _replaced_once(line), line
        if line == before:
            break
    return line


def _replaced_once(text: str) -> str:
    plain = " ".join(tidy(text).split()).lstrip("/- ").translate(_MARKUP)
    plain = _replaced(plain, [(hit.start, hit.end, RECEIPT) for hit in find_receipts(plain)])
    plain = _MAIL.sub(MAIL, plain)
    plain = _MASKED.sub(lambda match: _word_for(match[0]), plain)
    folded = fold_digits(plain)
    spans = [(*match.span(), _word_for(match[0])) for match in _DIGITS.finditer(folded)]
    spans += [(*match.span(), NUMBER) for match in _DOCUMENT.finditer(folded)]
    plain = _STARS.sub("", _replaced(plain, spans))
    plain = _replaced(plain, [(hit.start, hit.end, NAME) for hit in find_names(plain)])
    plain = _KIN_BEFORE.sub(rf"\g<kin>{NAME}", plain)
    return _WITH_TITLE.sub(_without_name, plain)


def still_personal(line: str) -> str | None:
    """Return what in ``line`` may still be personal (digits, masked, mail, account, house, plate, name), or None."""
    folded = fold(fold_digits(line))
    for what, pattern in _STILL:
        if pattern.search(folded):
            return what
    return "name" if any(hit.value.text != NAME for hit in find_names(line)) else None


def problem_of(line: str, label: str) -> str | None:
    """Return why ``line`` cannot be trained on under ``label``, or None."""
    if label not in INTENTS:
        return "intent"
    if not any(char.isalnum() for char in line):
        return "empty"
    if len(line) > MAX_LINE_CHARS:
        return "long"
    return still_personal(line)


def _word_for(number: str) -> str:
    plain = [char for char in number if char.isalnum() or char == "*"]
    if len(plain) == len("13800000000") and plain[0] == "1":
        return PHONE
    return IDENTITY if len(plain) in {15, 18} else NUMBER


def _without_name(match: re.Match[str]) -> str:
    return "某" if not match["given"] else NAME


def _replaced(text: str, spans: list[tuple[int, int, str]]) -> str:
    parts, position = list[str](), 0
    for start, end, word in sorted(spans):
        if start >= position:
            parts += [text[position:start], word]
            position = end
    return "".join([*parts, text[position:]])
