"""The words people use to steer a conversation: commands, markers of a correction or a question, particles.

The words themselves stand in ``flows/patterns.yml`` under ``words``.
"""

import re
from collections.abc import Mapping
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


COURTESIES = ("affirm", "deny", "thank", "greet", "goodbye")
"""Keys under ``words`` that are also intents: a message that is just one of these words needs no NLU."""

MARKERS = (
    "particles", "openings", "correction_wrong", "correction_to", "correction_earlier", *COURTESIES,
)  # fmt: skip
"""The keys under ``words`` that are not commands."""


@dataclass(frozen=True)
class Words:
    """The lists of ``flows/patterns.yml``; ``lists`` maps a command's value or a marker to its words."""

    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def _endings(self) -> tuple[str, ...]:
        return tuple(sorted(self.lists.get("particles", ()), key=len, reverse=True))

    @cached_property
    def _openings(self) -> tuple[str, ...]:
        return tuple(sorted(self.lists.get("openings", ()), key=len, reverse=True))

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

    def plain(self, text: str) -> str:
        """Return ``text`` for comparison: one spelling, lower case, no punctuation, no closing particles."""
        bare = _SIGNS.sub("", normalise(text)).lower()
        return self._without_particles(bare)

    def readings(self, text: str) -> tuple[str, ...]:
        """Return the plain forms of ``text``, with and without a polite opening (我选, 那就, 请)."""
        bare = _SIGNS.sub("", normalise(text)).lower()
        forms = [bare, self._without_particles(bare)]
        for opening in self._openings:
            rest = forms[-1].removeprefix(opening)
            if rest and rest != forms[-1]:
                forms.append(rest)
                break
        return tuple(dict.fromkeys(forms))

    def _without_particles(self, bare: str) -> str:
        while len(bare) > 1:
            shorter = next((bare[: -len(end)] for end in self._endings if bare.endswith(end) and bare != end), bare)
            if shorter == bare:
                return bare
            bare = shorter
        return bare

    def commands(self, text: str) -> tuple[Command, ...]:
        """Return the commands that the whole of ``text`` can be."""
        return next((self._commands[form] for form in self.readings(text) if form in self._commands), ())

    def plain_list(self, key: str) -> frozenset[str]:
        """Return the words under ``key`` in plain form."""
        return self._plain_lists.get(key, frozenset())

    def courtesy(self, text: str) -> str | None:
        """Return the intent (affirm, thank …) when the whole of ``text`` is one of its words."""
        forms = self.readings(text)
        return next((key for key in COURTESIES if any(form in self.plain_list(key) for form in forms)), None)


def _any_of(words: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern of any of ``words``, the longest first; one that never matches when there are none."""
    if not words:
        return re.compile(r"(?!)")
    return re.compile("|".join(re.escape(word) for word in sorted(words, key=len, reverse=True)))
