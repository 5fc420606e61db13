"""Names of persons, 2 to 30 characters: long and minority names with their dot, rare characters, Latin names."""

import re
from dataclasses import dataclass

from bot.values.characters import fold, normalise
from bot.values.found import Found, only_value
from bot.values.problem import Problem
from bot.values.surnames import COMPOUND_SURNAMES, SURNAMES
from bot.values.texts import looks_like_question

MIN_NAME_CHARS = 2
MAX_NAME_CHARS = 30
MAX_SECOND_NAME_CHARS = 4
NAME_DOT = "·"

_HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\ufa0e-\ufa29\U00020000-\U000323af"
_DOTS = re.compile("\\s*[·・•‧∙⋅᛫⸱]+\\s*")
_DOT_BETWEEN_HAN = re.compile(f"(?<=[{_HAN}])[.。](?=[{_HAN}])")
_DOT_SIGNS = re.compile("[·・•‧∙⋅᛫⸱]")
_HAN_CHAR = re.compile(f"[{_HAN}]")
_WORDS = re.compile(f"[{_HAN}]+")
_HAN_NAME = re.compile(f"[{_HAN}](?:{NAME_DOT}?[{_HAN}])+")
_LATIN_NAME = re.compile("[A-Za-z\u00c0-\u024f](?:[ '.-]{0,2}[A-Za-z\u00c0-\u024f])+\\.?")

_OWNER = (
    "(?:我|俺|他|她|本人|(?:紧急)?联系人|学生|家长|监护人|娃儿|崽崽?|幺儿|幺妹|姑娘"
    "|女儿|儿子|孩子|小孩|老婆|老公|妈妈?|爸爸?)"
)
_OWNERS = f"{_OWNER}(?:家|屋头|屋里)?的?(?:{_OWNER}的?)?"
_CALLED = "(?:名叫|叫做?|喊做?)"
_NAME_IS = f"(?:{_OWNERS})?\\s?(?:大名|名字|姓名|全名)\\s?(?:{_CALLED}|是|为|:)*"

_QUOTES = re.compile("[“”\"‘《》「」『』]|(?<![A-Za-z])['’]|['’](?![A-Za-z])")
_SPELT_SURNAME = re.compile(
    "^(?:弓长张|立早章|木子李|耳东陈|口天吴|双木林|古月胡|言午许|草头黄|三横一竖王|三横王|人可何|禾呈程|走肖赵|双口吕|干勾于)"
)
"""弓长张三: how the surname is written is said with it."""
_IS_ME = re.compile("(?:是我的?(?:名字|姓名)|(?:这)?就?是我(?:本人)?)$")
_GREETING = re.compile("^(?:你们?好|您好|老师好)[\\s,。!]*")
_LEAD_IN = re.compile(
    f"^(?:就?是)?(?:{_NAME_IS}|(?:{_OWNERS}|就)\\s?(?:{_CALLED}|是|:)|本人|(?:紧急)?联系人|{_CALLED}|是)[\\s:,]*"
)
_KIN = (
    "爸爸?|妈妈?|老汉|父亲|母亲|爷爷|奶奶|公公|婆婆?|外公|外婆|家公|家婆|[大二三幺小]?(?:舅妈|舅舅?|叔叔?|伯父|伯母|伯伯?|婶婶?)"
    "|孃孃|嬢嬢|姑姑|姑妈|姨妈|小?姨|[表堂]?(?:哥哥?|姐姐?|弟弟?|妹妹?)|嫂子|姐夫|妹夫|老公|老婆|爱人"
)
_KIN_FIRST = re.compile(
    f"^(?:找|是)?(?:{_OWNERS}的?)?(?:{_KIN})(?:{_CALLED}|是|:)?[\\s:,]*(?P<name>[{_HAN}]{{2,4}}(?:·[{_HAN}]{{1,12}})*)$"
)
"""他舅舅李大勇: whose the name is stands before it, with nothing between."""
_KIN_ALONE = re.compile(_KIN)
_SURNAME_FIRST = re.compile(f"姓(?P<surname>[{_HAN}]{{1,2}}?)[\\s,]*(?:名字?)?叫(?P<rest>[{_HAN}·]+)")
_TAIL = re.compile("[\\s,。.!、;~]*(?:[嘛嘞哦咯噻啊呀呢吧喽哟]|谢谢)*[\\s,。.!、;~]*$")
_ADDRESS = re.compile("(?:女士|先生|同学|师傅|老师)$")
_SEX_BEHIND = re.compile("(?<=[^\\s][^\\s])[\\s,(]+[男女][性的生]?\\)?$")
_SPOKEN_NUMBER = re.compile("[0-9]|[〇零一二三四五六七八九幺]{5}")

_BOUNDARY = "(?=[嘛嘞哈]?(?:$|[\\s,。;、!]|电话|手机|身份证))"
_HAN_PARTS = f"[{_HAN}]{{2,4}}?(?:·[{_HAN}]{{1,12}})*"
_NAMED = re.compile(f"(?:{_NAME_IS}|(?:{_OWNERS}\\s?)?{_CALLED})[\\s:]*(?P<name>{_HAN_PARTS}){_BOUNDARY}")
_I_AM = re.compile(f"(?:^|[\\s,。!])我是(?P<name>[{_HAN}]{{2,3}}){_BOUNDARY}")
_FIRST_WORD = re.compile(f"^(?P<name>[{_HAN}]{{2,4}}(?:·[{_HAN}]{{1,12}})*)(?=[\\s,、;]|电话|手机|身份证|[0-9])")

_CALLED_BEFORE = re.compile(f"(?:{_CALLED}|名字?是?|姓名)[\\s:,]*$")
_NEVER_IN_NAMES = frozenset("的们吗呢")
_STOP_CHARS = frozenset("我你您他她它们的了是吗么呢这哪怎啥咋没请说")
_STOP_START = frozenset("不别要想就还也都有在去来给跟对嗯哦好")
_NOT_NAMES = re.compile(
    "不晓得|不知道|不清楚|不想说|不告诉|晓不得|算了|取消|返回|人工|退出|帮助|菜单|提交|确认"
    "|跳过|下一步|上一步|同意|可以|要得|得行|不行|谢谢|随便|匿名|保密|名字|姓名|全名|本人"
    "|自己|娃儿|孩子|学生|家长|父亲|母亲|爸爸|妈妈|老公|老婆|女儿|儿子|男生|女生"
    "|高职|专科|研究生|应届|护理|今天|明天|后天|上午|下午|晚上|周末|时间|松桃|碧江"
    "|万山|玉屏|江口|石阡|印江|思南|德江|沿河|铜仁|环卫|保安|司机|农民工|单亲|农村|高中生?"
    "|[大高初研][一二三四]|周[一二三四五六日末]|重新?来|从头来|莫[整搞弄要报去说问管慌急].{0,2}|等一?[下哈]|[看听]不懂|搞不懂"
)
_NOT_NAME_PARTS = re.compile(
    "人工|学院|大学|学校|中学|小学|职校|本科|公司|医院|工会|单位|电话|手机|身份证|名字|姓名|报名|上班|工作|工资|打工"
    "|老板|可以|什么|县|街道|筛查|律师|勤工|咨询|进度|退出|取消|不想|不要|随便|告诉|保密|匿名"
)


@dataclass(frozen=True, slots=True, repr=False)
class PersonName:
    """A name as it is stored. ``repr`` and ``str`` are masked; ``text`` is the plain name."""

    text: str

    def masked(self) -> str:
        """Return 张* for two characters, else the first and the last: 杨*明."""
        if len(self.text) == MIN_NAME_CHARS:
            return f"{self.text[0]}*"
        return f"{self.text[0]}{'*' * (len(self.text) - 2)}{self.text[-1]}"

    def __repr__(self) -> str:
        return f"PersonName({self.masked()})"


def find_names(text: str) -> tuple[Found[PersonName], ...]:
    """Return what ``text`` itself calls a name: 我叫…, 姓名:…, 娃儿叫…, 我是…."""
    folded = _DOT_SIGNS.sub(NAME_DOT, fold(text))
    found: dict[int, Found[PersonName]] = {}
    if stated := _SURNAME_FIRST.search(folded):
        name = _judge(_core(_with_surname(stated)))
        return (Found(name, stated.start("surname"), stated.end()),) if isinstance(name, PersonName) else ()
    for match in _NAMED.finditer(folded):
        name = _judge(match["name"])
        if isinstance(name, PersonName):
            found[match.start("name")] = Found(name, *match.span("name"))
    for match in _I_AM.finditer(folded):
        name = _judge(match["name"])
        if isinstance(name, PersonName) and _starts_with_surname(name.text) and not name.text.endswith("人"):
            found.setdefault(match.start("name"), Found(name, *match.span("name")))
    return tuple(found[start] for start in sorted(found))


def parse_name(text: str) -> PersonName | Problem:
    """Return the person's name that ``text`` gives, without lead-in (我叫…) and particles."""
    plain = _GREETING.sub("", _DOT_BETWEEN_HAN.sub(NAME_DOT, _DOTS.sub(NAME_DOT, normalise(_QUOTES.sub("", text)))))
    if not plain:
        return Problem("name.empty")
    if looks_like_question(plain):
        return Problem("name.question")
    if stated := _SURNAME_FIRST.search(plain):
        return _judge(_core(_with_surname(stated)))
    core = _core(plain)
    kin = _KIN_FIRST.match(core) or _KIN_FIRST.match(_TAIL.sub("", plain))
    if kin is not None and _starts_with_surname(kin["name"]):
        core = kin["name"]
    name = _judge(core)
    if isinstance(name, PersonName):
        return name
    if name.code == "name.not_a_name" and _is_insisted(plain, core):
        return PersonName(core)
    named = only_value(find_names(plain))
    if named is not None:
        return named
    return _first_word(_LEAD_IN.sub("", plain)) or name


def _first_word(plain: str) -> PersonName | None:
    """Return the name in 杨小芳 铜仁学院大二 or 李四 138…, but none when a second name may follow."""
    first = _FIRST_WORD.match(plain)
    if first is None or not _starts_with_surname(first["name"]):
        return None
    words = _WORDS.findall(plain[first.end() :])
    if any(_could_be_second_name(word) for word in words):
        return None
    name = _judge(first["name"])
    return name if isinstance(name, PersonName) else None


def _could_be_second_name(word: str) -> bool:
    is_short = len(word) <= MAX_SECOND_NAME_CHARS and _starts_with_surname(word)
    return is_short and isinstance(_judge(word), PersonName)


def _with_surname(stated: re.Match[str]) -> str:
    """Read 姓杨,叫小芳 and 姓杨,叫杨小芳 alike."""
    surname, rest = stated["surname"], stated["rest"]
    return rest if rest.startswith(surname) else surname + rest


def _core(plain: str) -> str:
    core = _LEAD_IN.sub("", _SEX_BEHIND.sub("", _TAIL.sub("", plain)))
    core = _SPELT_SURNAME.sub(lambda match: match[0][-1], _IS_ME.sub("", _ADDRESS.sub("", _TAIL.sub("", core))))
    if core.endswith("哈") and len(core) > MIN_NAME_CHARS and NAME_DOT not in core and _starts_with_surname(core):
        # 杨小芳哈: the particle. Without a surname in front it may belong to a minority name.
        return core[:-1]
    return core


def _judge(core: str) -> PersonName | Problem:
    if _SPOKEN_NUMBER.search(core):
        return Problem("name.has_digits")
    if " " in core and _HAN_CHAR.search(core):
        joined = _join_words(core.split())
        if joined is None:
            return Problem("name.several")
        core = joined
    if len(core) < MIN_NAME_CHARS:
        return Problem("name.too_short")
    if len(core) > MAX_NAME_CHARS:
        return Problem("name.too_long", {"maximum": MAX_NAME_CHARS})
    if _LATIN_NAME.fullmatch(core):
        return PersonName(core)
    if not _HAN_NAME.fullmatch(core):
        return Problem("name.bad_character")
    return Problem("name.not_a_name") if _is_speech(core) else PersonName(core)


def _join_words(words: list[str]) -> str | None:
    """Return 杨 小芳 or 杨 小 芳 as one name; ``None`` when the words look like several names."""
    head = words[0]
    joined = "".join(words)
    if head in SURNAMES or head in COMPOUND_SURNAMES or all(len(word) == 1 for word in words[1:]):
        return joined if len(joined) <= len(head) + 3 else None
    return None


def _starts_with_surname(name: str) -> bool:
    return name[0] in SURNAMES or name[:2] in COMPOUND_SURNAMES


def _is_insisted(plain: str, core: str) -> bool:
    """Return whether 我叫… stands before a short name with a surname: then 任我行 and 高工作 are names."""
    is_short = len(core) <= MAX_SECOND_NAME_CHARS and _HAN_NAME.fullmatch(core) is not None
    place = plain.rfind(core)
    is_called = place > 0 and _CALLED_BEFORE.search(plain[:place]) is not None
    return is_short and is_called and _starts_with_surname(core) and _NEVER_IN_NAMES.isdisjoint(core)


def _is_speech(core: str) -> bool:
    """Return whether Han text is something said instead of a name."""
    if (
        _NOT_NAMES.fullmatch(core)
        or _KIN_ALONE.fullmatch(core)
        or not _STOP_CHARS.isdisjoint(core)
        or core[0] in _STOP_START
    ):
        return True
    return _NOT_NAME_PARTS.search(core) is not None
