"""One spelling for many: what texts are brought to before words are looked for in them."""

import re
import unicodedata

_BLANKS = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_HARM = "打骂扣关锁砍杀压夹埋砸撞摸强奸骗拐糟辱捅烧炸电开辞裁罚欺虐卡困绑拖欠"
_FOLDS = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"[，、；]", ","),
        (r"[。！？…]+", "。"),
        (r"[咯喽嘞啰啦勒](?=$|[,。!?~])|[咯喽啰]", "了"),
        (r"没得|莫得|冇得|么得|没有|木有|冇", "没"),
        (r"克(?!扣|服|制|隆|星|己|勤|里|拉)", "去"),
        (r"俺|老子|劳资", "我"),
        (r"娃儿|娃娃|崽崽|崽儿|细娃|小孩子|小孩|孩子|小朋友|幺儿|幺妹|女儿|儿子|闺女|崽", "娃"),
        (rf"[着挨](?=(?:老板|工头|包工头|保安|他|人|别人|领导)?[{_HARM}])", "遭"),
    )
)


def squeeze(text: str) -> str:
    """Return ``text`` in half width and lower case without blanks and invisible characters."""
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text).lower())


def fold(text: str) -> str:
    """Return ``squeeze(text)`` with dialect words and particles in their common form, for word rules only."""
    folded = squeeze(text)
    # NFKC has made half-width marks of most full-width ones; the folds see both.
    for pattern, plain in _FOLDS:
        folded = pattern.sub(plain, folded)
    return folded
