"""Actions of the flow ``answer_question``: one entry answers, or up to three are offered."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from actions.programmes import programme_fields
from bot.dialogue.events import ActionContext, ActionTable, Event, Option, Say
from bot.knowledge.models import Close, Entry, Found, NotFound
from bot.knowledge.rules import fill
from bot.knowledge.service import KnowledgeService
from bot.programmes.models import ProgrammeKind
from bot.programmes.service import ProgrammeService

NEXT_STEPS: Mapping[str, Option] = {
    "register_work_study": Option("勤工俭学报名", "勤工俭学报名", next_flow="register_work_study"),
    "book_health_screening": Option("两癌筛查预约", "两癌筛查预约", next_flow="book_health_screening"),
    "consult_lawyer": Option("约律师", "约律师", next_flow="consult_lawyer"),
    "check_status": Option("查进度", "查进度", next_flow="check_status"),
    "handoff_human": Option("人工", "找人工"),
}


NONE_OF_THESE = Option("人工", "都不是，问工作人员")


class KnowledgeActions:
    """Answers questions from the entries that staff edit."""

    def __init__(self, knowledge: KnowledgeService, programmes: ProgrammeService) -> None:
        self._knowledge = knowledge
        self._programmes = programmes

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {"action_answer_question": self.answer}

    async def answer(self, context: ActionContext) -> Sequence[Event]:
        """Say the answer with its legal basis and the next step; ask back when two entries are close."""
        found = await self._knowledge.answer_for(context.said, intent=context.intent)
        match found:
            case Found():
                return [await self._say(found.entry)]
            case Close():
                options = tuple(Option(entry.question, entry.question) for entry in found.entries)
                return [Say("utter_faq_close", options=(*options, NONE_OF_THESE))]
            case NotFound():
                return [Say("utter_faq_not_found")]
            case _:
                assert_never(found)

    async def _say(self, entry: Entry) -> Say:
        fields = await self._fields(entry)
        answer = fill(entry, fields)
        basis = f"\n依据：{entry.basis}" if entry.basis and entry.basis != "配置" else ""
        step = NEXT_STEPS.get(entry.next_step)
        return Say("utter_faq_answer", {"answer": answer, "basis": basis}, (step,) if step else ())

    async def _fields(self, entry: Entry) -> Mapping[str, str]:
        if not entry.service:
            return {}
        programme = await self._programmes.current(ProgrammeKind(entry.service))
        if programme is None:
            return {}
        return {name: str(value) for name, value in programme_fields(programme).items() if value}
