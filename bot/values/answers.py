"""Yes and no, in standard Chinese and in the dialect: 要得, 得行, 对头; 要不得, 不得行, 莫, 算了.

Consent is recorded on this, so doubt is asked back. An answer counts when words for it cover the whole text, or when
the text opens with a strong word (同意, 不得行 …) and nothing behind it takes it back.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.values.characters import fold
from bot.values.problem import Problem
from bot.values.texts import looks_like_question


class Answer(StrEnum):
    """A clear answer."""

    YES = "yes"
    NO = "no"


_NEGATION = "不得不|不得(?=[要去来干搞整报])|不是|不能|不会|不想|不太|不大|不再|不|没得|莫得|冇得|没有|没|莫|别|未"
_WANTED = (
    "可以|阔以|闊以|可已|同意|愿意|要得|得行|行得|答应|接受|允许|赞成|支持|认可|确认|确定|提交|对头|正确|需要|参加|想要"
    "|愿|行|对|好|是|成|要|想|得|用|必|干|搞|整|弄|报|去|办|填|来"
)
_UNWANTED = "问题|意见|毛病|异议|反对|拒绝|介意|关系|错|事"
_STRONG_NO = (
    "要不得|要不成|得不行|使不得|不存在|算[球逑]|懒得"
    "|搞不[成得]|整不成|行不通|不得行|算了|免了|罢了|拉倒|拒绝|反对|取消"
)
_STRONG_YES = (
    "可以|阔以|闊以|可已|使得|当然|肯定(?![不没莫])|必须的?"
    "|同意|愿意|要得|得行|行得|答应|接受|允许|赞成|支持|认可|确认|确定|提交|对头|正确|需要|要报名?|没毛病"
)
_WEAK_YES = (
    "okay|ok|嗯[呐哪]|是这样|有(?![点没])|搞嘛|整嘛|来嘛|报嘛|干嘛(?=$)|妥|欧了|好[哒滴咧]|是滴|系的?|yes|yeah|yep"
    "|y(?![a-z])|嗯+|恩+|欧克|中|成|好|是|对|行|得|要|👌|👍|✓|√|✅|☑|\\[ok\\]|\\[强\\]|\\[好的\\]"
)
_WEAK_NO = "🙅|nope|no(?![a-z])|n(?![a-z])|有点?(?:问题|意见|错)|错|否|甭|×|✗|❌|\\[弱\\]"
_FILLER = (
    "我们?|你们?|大家|全部|完全|非常|还是|那就|那么|就是|就?这样|[嗯恩]+[,\\s]*(?=[不没莫])|是(?=[不没])|看|觉得|肯定|必须|一定|绝对|当然|先|很|又|就|也|都|那"
    "|这个?|个|嘛|嘞|勒|哈|噻|咯|哦|喔|噢|啊|呀|呢|吧|了|撒|三|的(?!话)|啦|喽|哟|安|谢谢|麻烦|请|[\U0001f3fb-\U0001f3ff\ufe0f]"
)
_TOKEN = re.compile(
    rf"(?P<no>{_STRONG_NO})"
    rf"|(?P<turned>(?P<negations>(?:{_NEGATION})+)(?:很|太|大|怎么|是很)?(?P<core>{_WANTED}|{_UNWANTED}))"
    rf"|(?P<yes>{_STRONG_YES}|no problem)"
    rf"|(?P<weak_no>{_WEAK_NO}|{_NEGATION})"
    rf"|(?P<filler>{_FILLER}|[\s,。.!、;~…]+)"
    rf"|(?P<weak_yes>{_WEAK_YES})",
    re.IGNORECASE,
)
_NEGATIONS = re.compile(_NEGATION)
_UNWANTED_WORD = re.compile(_UNWANTED)
_DOUBT = re.compile("[不没莫别但等先再]|可是|只是|除非|如果|要是|的话|考虑|取消|算了|商量|问一?下|假如")
_LONGEST_TAIL = 30
_HOMOPHONE = re.compile("^(?:[布补步卜](?=[是要行好对得可同愿用想]))")
"""What a voice transcript makes of 不 at the beginning."""


@dataclass(frozen=True, slots=True)
class _Said:
    answer: Answer
    is_strong: bool


def parse_answer(text: str) -> Answer | Problem:
    """Return whether ``text`` says yes or no; a question (要得不?) or a text that says both is a problem."""
    folded = _HOMOPHONE.sub("不", fold(text).strip().casefold()).replace("木有", "没有").replace("木得", "没得")
    if looks_like_question(folded):
        return Problem("answer.question")
    said, covered = _read(folded)
    if covered < len(folded):
        return _opening(said, folded[covered:])
    answers = {word.answer for word in said}
    if len(answers) > 1:
        return Problem("answer.mixed")
    return answers.pop() if answers else Problem("answer.unclear")


def _read(folded: str) -> tuple[list[_Said], int]:
    """Return the words for yes and no from the start, and how far known words cover the text."""
    said: list[_Said] = []
    position = 0
    while position < len(folded) and (match := _TOKEN.match(folded, position)):
        position = match.end()
        if match["filler"] is None:
            said.append(_meaning(match))
    return said, position


def _meaning(match: re.Match[str]) -> _Said:
    if match["turned"] is not None:
        return _turned(match["negations"], match["core"])
    is_yes = match["yes"] is not None or match["weak_yes"] is not None
    is_strong = match["yes"] is not None or match["no"] is not None
    return _Said(Answer.YES if is_yes else Answer.NO, is_strong)


def _turned(negations: str, core: str) -> _Said:
    """Read 不同意, 不是不可以 and 没得问题: each negation turns the meaning of the word once."""
    turns = sum(2 if negation == "不得不" else 1 for negation in _NEGATIONS.findall(negations))
    is_wanted = not _UNWANTED_WORD.fullmatch(core)
    is_yes = is_wanted == (turns % 2 == 0)
    return _Said(Answer.YES if is_yes else Answer.NO, is_strong=len(core) > 1)


def _opening(said: list[_Said], tail: str) -> Answer | Problem:
    """Read 同意你们收集: one strong word, then other words that do not take it back."""
    answers = {word.answer for word in said}
    if len(answers) != 1 or not said[0].is_strong or len(tail) > _LONGEST_TAIL or _DOUBT.search(tail):
        return Problem("answer.mixed" if len(answers) > 1 else "answer.unclear")
    return answers.pop()
