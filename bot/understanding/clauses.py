"""Takes a message apart that asks for two or three things (报个筛查，顺便问下消费券在哪领). Pure.

Most messages with 然后, 还有 or 另外 tell one story, so a part only counts when such a word opens it *and* it asks
for something by itself. Whether the parts really are different wishes is for the NLU to say.
"""

import re

from bot.values.characters import normalise

MAX_CLAUSES = 3
MAX_CHARS = 120
"""A longer message is a story; it is understood as a whole."""
FEWEST_CHARS = 3

_BREAK = r"[\s,，。.;；!！?？、~…]"
_MORE = (
    r"顺便|顺带|顺路|对了|另外|此外|同时|除此之外|还有(?:个|一个|一件|件|点)?(?:事情?|问题)?|还想|还要|还得|再就是|再有|再一个|其次"
    r"|然后(?=再|[我俺]?[还也]?[想要]|帮|请|给我|问)|再(?=帮|给|约|问|查|报|看|请|找|申请|登记|预约|咨询|打听|取消|改)"
    r"|第二个?(?:事|问题)?|二来|二是"
)
_OPENS = re.compile(
    rf"(?:{_BREAK}+|^)(?:然后|那|哦|嗯|还|再)?(?P<word>{_MORE})|(?P<strong>顺便|顺带|对了,?|(?<=[了吗么呢哈嘛])另外)"
)
_LEAD = re.compile(
    rf"^(?:{_BREAK}|{_MORE}|先|那|就|就是|也|还|再|呢|哈|嘛|啊|一下|我?[还也]?想?问你?[下哈个]?(?=[一-鿿]{{4}}))+"
)
_TAIL = re.compile(rf"(?:{_BREAK}|(?<=.)那么?(?={_BREAK}*$))+$")
_ASKS = re.compile(
    "[吗么?？]|[不没](?:嘛|哦|啊|呢|嘞)?$|问|咨询|打听|了解|想知道|晓得|请教|帮|麻烦|给我|怎么|怎样|咋|啷个|囊个|如何|哪|多少|好多|好久"
    "|几时|几[点号天岁块]|多久|什么|啥|有没有|能不能|可不可以|要不要|得不得|想|要|报名|报[个下哈一上]|预约|约|查|取消|退[掉了号]|改|换|找|转|办|领|申请"
    "|登记|投诉|加入|入会|律师|人工"
)
_FIRST_THEN = re.compile(
    rf"^(?:我?(?:想|要)?|麻烦|请)?先(?P<first>.{{3,40}}?){_BREAK}*(?:然后)?再(?P<then>(?:帮|给|约|问|查|报|看|请|找|申请|登记|预约|咨询|取消|改).{{2,40}})$"
)


def split_clauses(text: str) -> tuple[str, ...]:
    """Return the parts of ``text`` that may be wishes of their own, without the words that join them.

    One part, the text as it is, when it asks for one thing as far as words can tell; never more than ``MAX_CLAUSES``.
    """
    plain = normalise(text)
    if len(plain) > MAX_CHARS or len(plain) < FEWEST_CHARS * 2:
        return (text,)
    ordered = _FIRST_THEN.match(plain)
    if ordered is not None and _ASKS.search(ordered["first"]):
        return _cleaned(ordered["first"]), _cleaned(ordered["then"])
    parts = _parts(plain)
    return parts if len(parts) > 1 else (text,)


def _parts(plain: str) -> tuple[str, ...]:
    starts = [0]
    for match in _OPENS.finditer(plain):
        start = match.start("word") if match["word"] else match.start("strong")
        if start and _ASKS.search(_cleaned(plain[start:])) and len(starts) < MAX_CLAUSES:
            starts.append(start)
    pieces = [_cleaned(plain[start:end]) for start, end in zip(starts, [*starts[1:], len(plain)], strict=True)]
    if any(not _ASKS.search(piece) for piece in pieces[1:]):
        return (plain,)
    return tuple(piece for piece in pieces if piece)


def _cleaned(piece: str) -> str:
    core = _TAIL.sub("", piece.strip())
    return _LEAD.sub("", core) or core
