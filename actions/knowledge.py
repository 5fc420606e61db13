"""Actions of the flow ``answer_question``: one entry answers, or up to three are offered."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from actions.programmes import programme_fields
from bot.dialogue.events import ActionContext, ActionTable, Event, Option, Say
from bot.dialogue.payloads import ABOUT_PAYLOAD
from bot.knowledge.models import Close, Entry, Found, NotFound
from bot.knowledge.rules import fill, placeholders
from bot.knowledge.service import KnowledgeService
from bot.programmes.models import Programme, ProgrammeKind
from bot.programmes.rules import Open, window_state
from bot.programmes.service import ProgrammeService
from bot.registrations.service import RegistrationService
from bot.values.clock import Clock

PERSON = Option("人工", "找人工")
NEXT_STEPS: Mapping[str, Option] = {
    "register_work_study": Option("勤工俭学报名", "勤工俭学报名", next_flow="register_work_study"),
    "book_health_screening": Option("两癌筛查预约", "两癌筛查预约", next_flow="book_health_screening"),
    "consult_lawyer": Option("约律师", "约律师", next_flow="consult_lawyer"),
    "check_status": Option("查进度", "查进度", next_flow="check_status"),
    "change_registration": Option("改时间改信息", "改时间改信息", next_flow="change_registration"),
    "cancel_registration": Option("取消报名", "取消报名", next_flow="cancel_registration"),
    "complaint": Option("投诉建议", "投诉建议", next_flow="complain"),
    "handoff_human": PERSON,
    "crisis": PERSON,
}
NONE_OF_THESE = Option("人工", "都不是，问工作人员")
QUESTION_FLOW = "answer_question"

_PARTS = re.compile(r"[，。；]")


class KnowledgeActions:
    """Answers questions from the entries that staff edit."""

    def __init__(
        self,
        knowledge: KnowledgeService,
        programmes: ProgrammeService,
        registrations: RegistrationService,
        clock: Clock,
    ) -> None:
        self._knowledge = knowledge
        self._programmes = programmes
        self._registrations = registrations
        self._clock = clock

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {"action_answer_question": self.answer}

    async def answer(self, context: ActionContext) -> Sequence[Event]:
        """Say the answer with its legal basis and the next step; ask back when two entries are close.

        What was said is an entry's code when one of the offered questions was chosen.
        """
        chosen = await self._knowledge.entry(context.said)
        if chosen is not None:
            return [await self.say(chosen)]
        found = await self._knowledge.answer_for(context.said, chances=context.chances)
        match found:
            case Found():
                return [await self.say(found.entry)]
            case Close():
                options = tuple(_question(entry) for entry in found.entries)
                return [Say("utter_faq_close", options=(*options, NONE_OF_THESE))]
            case NotFound(None):
                return [Say("utter_faq_not_found")]
            case NotFound():
                return [Say("utter_faq_unchecked")]
            case _:
                assert_never(found)

    async def say(self, entry: Entry) -> Say:
        """Return how an entry is said today: filled from the programme's rows, with its basis and the next step."""
        answer = fill(entry, await self._fields(entry))
        basis = f"\n依据：{entry.basis}" if entry.basis else ""
        step = NEXT_STEPS.get(entry.next_step)
        return Say("utter_faq_answer", {"answer": answer, "basis": basis}, (step,) if step else ())

    async def _fields(self, entry: Entry) -> Mapping[str, str]:
        wanted = placeholders(entry.answer)
        if not entry.service or not wanted:
            return {}
        programme = await self._programmes.current(ProgrammeKind(entry.service))
        if programme is None:
            return {}
        fields = {name: str(value) for name, value in programme_fields(programme).items() if value}
        if "places" in wanted:
            fields["places"] = await self._places(programme)
        if "prep" in wanted:
            sites = await self._programmes.sites(programme.id)
            fields["prep"] = in_common(site.prep_text for site in sites if not site.closed)
        return fields

    async def _places(self, programme: Programme) -> str:
        """Return how many places are free in all, ``""`` when there is none to be had."""
        if not isinstance(window_state(programme, self._clock.now()), Open):
            return ""
        free = sum(slot.free for slot in await self._registrations.slots(programme.id))
        return str(free) if free else ""


def in_common(texts: Iterable[str]) -> str:
    """Return the parts that all ``texts`` have, as one sentence; ``""`` when there is none.

    Sites ask for different things; what one of them asks for is no answer for all.
    """
    split = [[part.strip() for part in _PARTS.split(text) if part.strip()] for text in texts]
    if not split:
        return ""
    shared = [part for part in split[0] if all(part in others for others in split)]
    return f"{'，'.join(shared)}。" if shared else ""


def _question(entry: Entry) -> Option:
    return Option(f"{ABOUT_PAYLOAD}{QUESTION_FLOW}:{entry.code}", entry.question)
