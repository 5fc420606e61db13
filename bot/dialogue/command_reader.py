"""Reads a message that is no more than words which steer: commands, 为啥要这个, the keywords of flows."""

from collections.abc import Sequence

from bot.dialogue.answers import AnswerReader
from bot.dialogue.catalog import Collect
from bot.dialogue.corrections import names_field
from bot.dialogue.models import REVIEWING
from bot.dialogue.readings import Act, Commands, KeepsOld, Refused, StartsFlow, Submits
from bot.dialogue.words import Command
from bot.dialogue.work import Work

_HEARD_ALWAYS = frozenset({Command.PERSON, Command.MENU, Command.HELP, Command.REPEAT})
_HEARD_IN_FLOWS = frozenset({Command.CANCEL, Command.BACK, Command.WHY})
_ASKED_FOR = "要问填收写"
"""How 要手机号做什么 begins."""
_MAX_NAME_CHARS = 12


class CommandReader:
    """Reads commands; some of their words are answers at certain questions."""

    def __init__(self, answers: AnswerReader) -> None:
        self._answers = answers

    def read(self, work: Work, text: str, forms: Sequence[str]) -> Act | None:
        """Return what ``text``, whose plain forms are ``forms``, steers to; None where it is something else."""
        return self._command(work, text, forms) or _asks_why(work, forms) or _keyword(work, forms)

    def _command(self, work: Work, text: str, forms: Sequence[str]) -> Act | None:
        commands = work.catalog.words.commands(forms)
        step = work.open_collect()
        if Command.SKIP in commands and step is not None and step.optional:
            # 不想填 gives up this question, where that is possible, and the whole form elsewhere.
            commands = (Command.SKIP, *commands)
        for command in commands:
            if command is Command.CANCEL and work.is_handed_in():
                # The form is handed in: 取消报名 means the registration itself, 算了 answers the question.
                continue
            if command in _HEARD_ALWAYS or (work.frames and command in _HEARD_IN_FLOWS):
                return Commands(command)
            act = self._in_context(work, text, command)
            if act is not None:
                return act
        return None

    def _in_context(self, work: Work, text: str, command: Command) -> Act | None:
        """Return a command that means something only at certain questions."""
        match command:
            case Command.SUBMIT:
                return Submits() if work.asking == REVIEWING else None
            case Command.KEEP:
                return KeepsOld() if work.revisit is not None else None
            case Command.DONE:
                if not work.gathered and _wants_one_picture(work):
                    # Pictures that are put away one by one end with the same words as those that are gathered.
                    return Commands(Command.SKIP)
                return Commands(command) if work.gathered else None
            case Command.SKIP:
                return Commands(command) if self._may_skip(work, text) else None
            case Command.CONTINUE:
                return Commands(command)
            case _:
                return None

    def _may_skip(self, work: Work, text: str) -> bool:
        """Say whether a word such as 没有 skips: not where it is itself an answer."""
        slot = work.open_slot()
        if slot is None:
            return False
        step = work.open_collect()
        is_optional = isinstance(step, Collect) and step.optional
        if slot.validator in {"yes_no", "options"}:
            return isinstance(self._answers.read(work, slot, text), Refused)
        if is_optional or work.world.validators[slot.validator].sure:
            return True
        # Where anything can be an answer, 没有 may be one too; 跳过 never is.
        words = work.catalog.words
        return any(form in words.plain_list("skip_only") for form in words.readings(text))


def _wants_one_picture(work: Work) -> bool:
    slot, step = work.open_slot(), work.open_collect()
    return slot is not None and slot.validator == "media" and isinstance(step, Collect) and step.optional


def _asks_why(work: Work, forms: Sequence[str]) -> Commands | None:
    """Return the question why the open question is asked, when it says its name: 为啥要身份证, 要手机号做什么."""
    slot = work.open_slot()
    if slot is None or not work.frames:
        return None
    words = work.catalog.words
    before, after = words.plain_list("why_before"), words.plain_list("why_after")
    for form in forms:
        opening = next((word for word in before if form.startswith(word)), "")
        closing = next((word for word in after if form.endswith(word) and form[0] in _ASKED_FOR), "")
        asked = form[len(opening) :] if opening else form[1 : len(form) - len(closing)] if closing else ""
        if asked and len(asked) <= _MAX_NAME_CHARS and names_field(asked, slot):
            return Commands(Command.WHY)
    return None


def _keyword(work: Work, forms: Sequence[str]) -> Act | None:
    by_keyword = work.catalog.flow_by_keyword
    return next((StartsFlow(by_keyword[form]) for form in forms if form in by_keyword), None)
