"""The words people use to steer a conversation: commands, markers of a correction or a question, particles.

The words themselves stand in ``flows/patterns.yml`` under ``words``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from bot.values.characters import normalise

_SIGNS = re.compile(r"[\s,，.。!！?？、;；:：~～…—\-“”\"'‘’()（）\[\]【】《》]+")


class Command(StrEnum):
    """What a worker can say at any time; the value is the key under ``words``."""

    CANCEL = "cancel"
    BACK = "back"
    SKIP = "skip"
    REPEAT = "repeat"
    HELP = "help"
    WHY = "why"
    MENU = "menu"
    PERSON = "person"
    CONTINUE = "continue"
    SUBMIT = "submit"
    KEEP = "keep"
    DONE = "done"


MAX_NAMES = 4_096
"""How many plain forms are kept; rows that actions offer have ever new labels."""
COURTESIES = ("affirm", "deny", "thank", "greet", "goodbye")
"""Keys under ``words`` that are also intents: a message that is just one of these words needs no NLU."""

MARKERS = (
    "skip_only", "why_before", "why_after", "particles", "openings", "correction_wrong", "correction_to",
    "correction_earlier", "value_openings", "leave_waiting", "leave_people", "ask_place", *COURTESIES,
)  # fmt: skip
"""The keys under ``words`` that are not commands."""


@dataclass(frozen=True)
class Words:
    """The lists of ``flows/patterns.yml``; ``lists`` maps a command's value or a marker to its words."""

    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def _ending(self) -> re.Pattern[str]:
        """Takes the closing particles off, but never the whole text."""
        return re.compile(f"(.+?)(?:{_any_of(self.lists.get('particles', ())).pattern})+", re.DOTALL)

    @cached_property
    def _opening(self) -> re.Pattern[str]:
        return re.compile(f"(?:{_any_of(self.lists.get('openings', ())).pattern})(?=.)", re.DOTALL)

    @cached_property
    def _plain_names(self) -> dict[str, str]:
        """The plain forms of labels and words met so far; texts of workers are not kept."""
        return {}

    @cached_property
    def _commands(self) -> Mapping[str, tuple[Command, ...]]:
        """Each word in plain form with the commands it can be; which one depends on the question that is open."""
        found: dict[str, tuple[Command, ...]] = {}
        for command in Command:
            for word in self.plain_list(command.value):
                found[word] = (*found.get(word, ()), command)
        return found

    @cached_property
    def _plain_lists(self) -> Mapping[str, frozenset[str]]:
        return {key: frozenset(self.plain(word) for word in words) for key, words in self.lists.items()}

    @cached_property
    def wrong(self) -> re.Pattern[str]:
        """Finds what says that an answer was wrong (错了, 填错, 不对)."""
        return _any_of(self.lists.get("correction_wrong", ()))

    @cached_property
    def instead(self) -> re.Pattern[str]:
        """Finds what stands before the right value (改成, 应该是, 是)."""
        return _any_of(self.lists.get("correction_to", ()))

    @cached_property
    def earlier(self) -> re.Pattern[str]:
        """Finds what points back to something said before (刚才, 前面)."""
        return _any_of(self.lists.get("correction_earlier", ()))

    @cached_property
    def introduces(self) -> re.Pattern[str]:
        """Finds what stands before a value among others (就读于, 专业为)."""
        return _any_of(self.lists.get("value_openings", ()))

    def plain(self, name: str) -> str:
        """Return a label or word for comparison: one spelling, lower case, no punctuation, no closing particles."""
        known = self._plain_names.get(name)
        if known is None:
            known = self._without_particles(_bare(name))
            if len(self._plain_names) < MAX_NAMES:
                self._plain_names[name] = known
        return known

    def readings(self, text: str) -> tuple[str, ...]:
        """Return the plain forms of a message, with and without a polite opening (我选, 那就, 请)."""
        bare = _bare(text)
        forms = [bare, self._without_particles(bare)]
        opening = self._opening.match(forms[-1])
        if opening is not None:
            forms.append(forms[-1][opening.end() :])
        return tuple(dict.fromkeys(forms))

    def _without_particles(self, bare: str) -> str:
        match = self._ending.fullmatch(bare)
        return bare if match is None else match[1]

    def commands(self, forms: Sequence[str]) -> tuple[Command, ...]:
        """Return the commands that a message in its plain ``forms`` can be."""
        return next((self._commands[form] for form in forms if form in self._commands), ())

    def plain_list(self, key: str) -> frozenset[str]:
        """Return the words under ``key`` in plain form."""
        return self._plain_lists.get(key, frozenset())

    def courtesy(self, forms: Sequence[str]) -> str | None:
        """Return the intent (affirm, thank …) when the whole of a message is one of its words."""
        return next((key for key in COURTESIES if any(form in self.plain_list(key) for form in forms)), None)


def _bare(text: str) -> str:
    return _SIGNS.sub("", normalise(text)).lower()


def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern of any of ``words``, the longest first; one that never matches when there are none."""
    if not words:
        return re.compile(r"(?!)")
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
