"""Actions of the flow ``consult_lawyer``."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import assert_never

from actions.materials import PictureSource
from actions.programmes import ProgrammeDesk
from actions.wording import day_text, text_of
from bot.dialogue.events import (
    ActionContext,
    ActionTable,
    Event,
    OfferOptions,
    Option,
    Reject,
    Say,
    SetSlots,
    SlotValue,
)
from bot.inbox.alerts import AlertService
from bot.inbox.models import AlertLevel
from bot.legal.models import CaseDraft, ContactWay, TopicSource
from bot.legal.rules import DeadlineHint, Hint, NotRunning
from bot.legal.service import LegalService, Opened
from bot.legal.topics import FactKind, FactQuestion, Handling, Recognised, Topic, TopicCatalogue
from bot.programmes.models import ProgrammeKind
from bot.storage.files import FileRefused, PrivateFiles
from bot.values.answers import Answer, parse_answer
from bot.values.clock import Clock
from bot.values.dates import parse_partial_date
from bot.values.money import parse_money
from bot.values.numerals import parse_count
from bot.values.options import Option as ReadOption
from bot.values.options import parse_option
from bot.values.problem import Problem

STORY_CHARS_MIN = 10
HINTS_MAX = 2
ALL_TOPICS = Option("all", "都不是，看全部", ("都不是", "看全部", "不是", "不对"))
EMPATHY: Mapping[str, str] = {
    "W1": "utter_legal_empathy_wages",
    "W2": "utter_legal_empathy_wages",
    "W6": "utter_legal_empathy_injury",
    "W7": "utter_legal_empathy_injury",
    "W8": "utter_legal_empathy_women",
}


class LegalActions:
    """Takes a dispute down and puts it into the lawyers' queue. It never says who is right."""

    def __init__(
        self,
        desk: ProgrammeDesk,
        cases: LegalService,
        topics: TopicCatalogue,
        alerts: AlertService,
        files: PrivateFiles,
        source: PictureSource,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._cases = cases
        self._topics = topics
        self._alerts = alerts
        self._files = files
        self._source = source
        self._clock = clock

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_legal_open": self.open,
            "action_ask_legal_topic": self.ask_topic,
            "validate_legal_topic": self.validate_topic,
            "action_legal_empathy": self.empathy,
            "action_legal_next_fact": self.next_fact,
            "validate_legal_fact_answer": self.validate_fact,
            "action_legal_keep_fact": self.keep_fact,
            "action_legal_hints": self.hints,
            "action_legal_submit": self.submit,
            "action_legal_keep_evidence": self.keep_evidence,
        }

    async def open(self, context: ActionContext) -> Sequence[Event]:
        """Begin with what the message itself tells: the topic it shows signs of, and the story if it is one."""
        events = list(await self._desk.open_events(ProgrammeKind.LEGAL_CONSULTATION, "legal_window"))
        if any(isinstance(event, Say) for event in events):
            return [event for event in events if isinstance(event, SetSlots)] + [Say("utter_legal_closed")]
        seen = self._topics.recognise(context.said)
        told: dict[str, SlotValue] = {"legal_facts": {}}
        if isinstance(seen, Recognised):
            told["legal_guess"] = seen.code
            if len(context.said) >= STORY_CHARS_MIN:
                told["legal_story"] = context.said
        return [*events, SetSlots(told)]

    async def ask_topic(self, context: ActionContext) -> Sequence[Event]:
        """Offer the recognised topic and its neighbours; or all of them."""
        guess = text_of(context.slots.get("legal_guess"))
        if not guess or context.slots.get("legal_all_topics"):
            return [OfferOptions(tuple(_topic_option(topic) for topic in self._topics))]
        seen = self._topics.recognise(text_of(context.slots.get("legal_story")) or context.said)
        others = seen.alternatives if isinstance(seen, Recognised) else ()
        codes = dict.fromkeys((guess, *others))
        options = (*(_topic_option(self._topics[code]) for code in codes), ALL_TOPICS)
        return [OfferOptions(options, {"guess": self._topics[guess].label}, "utter_legal_topic_guess")]

    async def validate_topic(self, context: ActionContext) -> Sequence[Event]:
        """Note what the chosen topic leads to."""
        code = text_of(context.slots.get("legal_topic"))
        handling = self._topics[code].handling.value if code in self._topics else None
        return [SetSlots({"legal_handling": handling, "legal_facts": {}, "legal_fact": None})]

    async def empathy(self, context: ActionContext) -> Sequence[Event]:
        """Say something human before the form begins."""
        topic = text_of(context.slots.get("legal_topic"))
        return [Say(EMPATHY.get(topic, "utter_legal_empathy_other"))]

    async def next_fact(self, context: ActionContext) -> Sequence[Event]:
        """Name the next fact that a lawyer must know in this topic."""
        topic = self._topic(context)
        open_questions = topic.questions_for(_facts(context)) if topic.handling is Handling.CASE else []
        if not open_questions:
            return [SetSlots({"legal_fact": None, "legal_fact_question": None})]
        fact = open_questions[0]
        choices = f"（{'、'.join(fact.options)}）" if fact.options else f"比如“{fact.example}”。"
        return [
            SetSlots(
                {
                    "legal_fact": fact.key,
                    "legal_fact_question": f"{fact.question}{choices}",
                    "legal_fact_answer": None,
                }
            )
        ]

    async def validate_fact(self, context: ActionContext) -> Sequence[Event]:
        """Read the answer as the kind of value that the fact is; what cannot be read is asked again."""
        fact = self._fact(context)
        if fact is None:
            return []
        value = _read(fact, text_of(context.slots.get("legal_fact_answer")), self._clock.now().date())
        if isinstance(value, Problem):
            return [Reject(value)]
        return [SetSlots({"legal_fact_answer": value})]

    async def keep_fact(self, context: ActionContext) -> Sequence[Event]:
        """Put the answer beside the others; a skipped one counts as asked."""
        facts: dict[str, SlotValue] = dict(_facts(context))
        key = text_of(context.slots.get("legal_fact"))
        facts[key] = text_of(context.slots.get("legal_fact_answer"))
        return [SetSlots({"legal_facts": facts, "legal_fact_answer": None})]

    async def hints(self, context: ActionContext) -> Sequence[Event]:
        """Say the nearest time limits that these facts set going, as an estimate."""
        hints = await self._cases.hints(self._topic(context).code, self._case_facts(context))
        return [_hint_text(hint) for hint in hints[:HINTS_MAX]]

    async def submit(self, context: ActionContext) -> Sequence[Event]:
        """Register the case; urgent and group matters are told to the people on duty at once."""
        topic = self._topic(context)
        opened = await self._cases.open_case(self._draft(context, topic), context.idempotency_key)
        if opened.urgent or opened.group:
            await self._alerts.raise_alert(
                AlertLevel.P1 if opened.group else AlertLevel.P2,
                "group_case" if opened.group else "urgent_case",
                context.openid,
                context.idempotency_key,
                detail=opened.receipt,
            )
        return [
            SetSlots({"legal_receipt": opened.receipt}),
            _opened_text(opened),
            Say("utter_legal_evidence_tips", {"evidence": "、".join(topic.evidence) or "聊天记录、照片、单据"}),
        ]

    def _draft(self, context: ActionContext, topic: Topic) -> CaseDraft:
        slots = context.slots
        people = slots.get("legal_people")
        times = slots.get("legal_times")
        guessed = slots.get("legal_guess") == topic.code
        return CaseDraft(
            openid=context.openid,
            topic=topic.code,
            county=text_of(slots.get("legal_county")),
            topic_source=TopicSource.RECOGNISED if guessed else TopicSource.CHOSEN,
            is_anonymous=slots.get("legal_anonymous") is True,
            employer=text_of(slots.get("legal_employer")),
            people_count=int(people) if isinstance(people, int | float) else 1,
            contact_way=ContactWay(text_of(slots.get("legal_way")) or ContactWay.TEXT.value),
            name=text_of(slots.get("legal_name")),
            phone=text_of(slots.get("legal_mobile")),
            callback_times=tuple(map(text_of, times)) if isinstance(times, list) else (),
            fears_retaliation=slots.get("legal_fear") is True,
            story=text_of(slots.get("legal_story")),
            facts=self._case_facts(context),
        )

    def _case_facts(self, context: ActionContext) -> Mapping[str, str]:
        facts = {key: value for key, value in _facts(context).items() if value}
        for slot, key in (("legal_harmed_on", "rights_harmed_on"), ("legal_due_on", "known_deadline_on")):
            if context.slots.get(slot) is not None:
                facts[key] = text_of(context.slots.get(slot))
        for slot in ("legal_claims", "legal_steps"):
            chosen = context.slots.get(slot)
            if isinstance(chosen, list):
                facts[slot.removeprefix("legal_")] = "、".join(map(text_of, chosen))
        return facts

    async def keep_evidence(self, context: ActionContext) -> Sequence[Event]:
        """Fetch the photo that was sent and put it with the case."""
        data = await self._source.picture(text_of(context.slots.get("legal_evidence")))
        try:
            stored = await self._files.save(data, owner=context.openid, purpose="legal_evidence")
        except FileRefused:
            return [SetSlots({"legal_evidence": None}), Say("utter_legal_evidence_refused")]
        receipt = text_of(context.slots.get("legal_receipt"))
        await self._cases.add_evidence(
            receipt, context.openid, context.idempotency_key, kind="image", file_ref=stored.id
        )
        return [SetSlots({"legal_evidence": None}), Say("utter_legal_evidence_kept")]

    def _topic(self, context: ActionContext) -> Topic:
        return self._topics[text_of(context.slots.get("legal_topic"))]

    def _fact(self, context: ActionContext) -> FactQuestion | None:
        key = context.slots.get("legal_fact")
        return next((fact for fact in self._topic(context).facts if fact.key == key), None)


def _facts(context: ActionContext) -> dict[str, str]:
    facts = context.slots.get("legal_facts")
    return {key: text_of(value) for key, value in facts.items()} if isinstance(facts, dict) else {}


def _read(fact: FactQuestion, text: str, today: date) -> str | Problem:
    """Return the answer in the form in which cases keep it, or why it cannot be read."""
    match fact.kind:
        case FactKind.TEXT:
            return text
        case FactKind.DATE:
            found = parse_partial_date(text, today, future_allowed=False)
            return found if isinstance(found, Problem) else str(found)
        case FactKind.MONEY:
            money = parse_money(text)
            return money if isinstance(money, Problem) else text
        case FactKind.COUNT:
            count = parse_count(text)
            return count if isinstance(count, Problem) else str(count.low)
        case FactKind.YES_NO:
            answer = parse_answer(text)
            if isinstance(answer, Problem):
                return answer
            return "yes" if answer is Answer.YES else "no"
        case FactKind.CHOICE:
            chosen = parse_option(text, tuple(ReadOption(option, option) for option in fact.options))
            return chosen if isinstance(chosen, Problem) else chosen.label
        case _:
            assert_never(fact.kind)


def _topic_option(topic: Topic) -> Option:
    return Option(topic.code, topic.label)


def _hint_text(hint: Hint) -> Say:
    match hint:
        case NotRunning():
            return Say(
                "utter_legal_no_limit_yet", {"title": hint.title, "basis": hint.basis, "wording": hint.wording}
            )
        case DeadlineHint():
            if hint.days_left < 0:
                fields = {"title": hint.title, "due": _due_text(hint.due), "basis": hint.basis}
                return Say("utter_legal_passed", fields)
            when = f"到{_due_text(hint.due)}为止，还有{hint.days_left}天"
            return Say(
                "utter_legal_hint",
                {"title": hint.title, "when": when, "basis": hint.basis, "wording": hint.wording},
            )
        case _:
            assert_never(hint)


def _due_text(due: date) -> str:
    return f"{due.year}年{day_text(due)}"


def _opened_text(opened: Opened) -> Say:
    marks = [label for label, holds in (("紧急", opened.urgent), ("群体", opened.group)) if holds]
    if marks:
        return Say("utter_legal_opened_urgent", {"receipt": opened.receipt, "mark": "·".join(marks)})
    return Say("utter_legal_opened", {"receipt": opened.receipt, "position": opened.queue_position})
