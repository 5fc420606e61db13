"""Actions of the flows in ``flows/legal.yml``: take a dispute down, put it into the lawyers' queue, add to it."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import assert_never

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
from bot.legal.rules import DeadlineHint, Hint, NotRunning, may_change
from bot.legal.service import LegalService, Opened
from bot.legal.topics import Recognised, Topic, TopicCatalogue
from bot.programmes.models import ProgrammeKind
from bot.values.answers import Answer, parse_answer
from bot.values.clock import Clock
from bot.values.counties import County, find_counties
from bot.values.found import only_value
from bot.values.numerals import find_counts
from bot.values.options import parse_option
from bot.values.problem import Problem

STORY_CHARS_MIN = 10
PERSON = "人"
HINTS_MAX = 2
CENTS_PER_YUAN = 100
BODY_AND_HEALTH = frozenset({"W6", "W7"})
FACT_PREFIX = "legal_"
EVERY_CASE = ("award_received_on", "known_deadline_on", "claims", "steps")
"""Facts that are asked whatever the topic is."""
RIGHT = (
    *("对", "是", "是的", "对的", "就是", "嗯", "没错", "对头", "就是这个"),
    *("同意", "要得", "好的", "可以", "确认", "嗯嗯", "是嘞"),
)
ALL_TOPICS = Option("all", "都不是，看全部", ("都不是", "看全部", "不是", "不对", "没对"))
NOT_SURE = Option("/word:人工", "说不清，找人工")


class LegalActions:
    """Takes a dispute down and puts it into the lawyers' queue. It never says who is right."""

    def __init__(
        self,
        desk: ProgrammeDesk,
        cases: LegalService,
        topics: TopicCatalogue,
        alerts: AlertService,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._cases = cases
        self._topics = topics
        self._alerts = alerts
        self._clock = clock

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_legal_open": self.open,
            "action_legal_recognise": self.recognise,
            "action_ask_legal_topic": self.ask_topic,
            "validate_legal_topic": self.validate_topic,
            "action_legal_hints": self.hints,
            "action_legal_submit": self.submit,
        }

    # --- What it is about -----------------------------------------------------------------------------------------

    async def open(self, context: ActionContext) -> Sequence[Event]:
        """Begin with what the message itself tells: the topic it shows signs of, and the story if it is one."""
        events = list(await self._desk.open_events(ProgrammeKind.LEGAL_CONSULTATION, "legal_window"))
        if any(isinstance(event, Say) for event in events):
            return [event for event in events if isinstance(event, SetSlots)] + [Say("utter_legal_closed")]
        seen = self._topics.recognise(context.said)
        if isinstance(seen, Recognised) or len(context.said) >= STORY_CHARS_MIN:
            events.append(
                SetSlots({"legal_said": context.said, "legal_running": await self._running(context.openid)})
            )
        if not isinstance(seen, Recognised):
            return events
        events.append(_guess(seen))
        if len(context.said) >= STORY_CHARS_MIN:
            events += [SetSlots({"legal_story": context.said}), _told(context, context.said)]
        return events

    async def _running(self, openid: str) -> str | None:
        """Return the receipt of the newest case that is not over, which what is told now may belong to."""
        cases = await self._cases.cases_of(openid)
        return next((case.receipt for case in cases if may_change(case.status)), None)

    async def recognise(self, context: ActionContext) -> Sequence[Event]:
        """See what the story is about."""
        story = text_of(context.slots.get("legal_story"))
        seen = self._topics.recognise(story)
        told = _told(context, story)
        return [_guess(seen), told] if isinstance(seen, Recognised) else [told]

    async def ask_topic(self, context: ActionContext) -> Sequence[Event]:
        """Offer the recognised topic and its neighbours; or all of them."""
        guess = text_of(context.slots.get("legal_guess"))
        if not guess:
            return [OfferOptions((*(_topic_option(topic) for topic in self._topics), NOT_SURE))]
        seen = self._topics.recognise(text_of(context.slots.get("legal_story")))
        others = seen.alternatives if isinstance(seen, Recognised) else ()
        neighbours = (_topic_option(self._topics[code]) for code in others if code != guess)
        options = (_topic_option(self._topics[guess], RIGHT), *neighbours, ALL_TOPICS)
        return [OfferOptions(options, {"guess": self._topics[guess].label}, "utter_legal_topic_guess")]

    async def validate_topic(self, context: ActionContext) -> Sequence[Event]:
        """Find the topic that was chosen or told in other words, and note what it leads to."""
        said = text_of(context.slots.get("legal_topic"))
        if said == ALL_TOPICS.value:
            return [SetSlots({"legal_code": None})]
        topic = self._topic_named(said) or self._topic_agreed(context, said)
        assumed: list[Event] = []
        if topic is None and context.slots.get("legal_asked_topic") is True:
            # What they tell instead of saying yes is most likely about it; they can change it at any time.
            topic = self._guessed(context)
            assumed = [] if topic is None else [Say("utter_legal_topic_assumed", {"topic": topic.label})]
        if topic is None:
            return [SetSlots({"legal_asked_topic": True}), Reject(Problem("legal.topic_unclear"))]
        learnt: dict[str, SlotValue] = {
            "legal_topic": topic.label,
            "legal_handling": topic.handling.value,
            "legal_asked_topic": None,
        }
        if topic.code != context.slots.get("legal_code"):
            learnt |= dict.fromkeys(self._facts_of_others(topic))
            learnt |= {"legal_code": topic.code, "legal_claims": [topic.claim] if topic.claim else None}
        return [SetSlots(learnt), *assumed]

    def _topic_named(self, said: str) -> Topic | None:
        chosen = parse_option(said, [_topic_option(topic) for topic in self._topics])
        if not isinstance(chosen, Problem):
            return next(topic for topic in self._topics if topic.label == chosen.value)
        seen = self._topics.recognise(said)
        return self._topics[seen.code] if isinstance(seen, Recognised) else None

    def _topic_agreed(self, context: ActionContext, said: str) -> Topic | None:
        """Return the guess where it was agreed to in words of the worker's own: 嗯对的就是这个."""
        return self._guessed(context) if parse_answer(said) is Answer.YES else None

    def _guessed(self, context: ActionContext) -> Topic | None:
        guess = text_of(context.slots.get("legal_guess"))
        return self._topics[guess] if guess else None

    def _facts_of_others(self, topic: Topic) -> set[str]:
        own = {fact.key for fact in topic.facts}
        return {f"{FACT_PREFIX}{fact.key}" for other in self._topics for fact in other.facts if fact.key not in own}

    # --- Limits and the case --------------------------------------------------------------------------------------

    async def hints(self, context: ActionContext) -> Sequence[Event]:
        """Say the nearest time limits that these facts set going, as an estimate; the same ones once only."""
        hints = await self._cases.hints(self._topic(context).code, self._case_facts(context))
        told = [_hint_text(hint) for hint in hints[:HINTS_MAX]]
        mark = "/".join(f"{hint.code} {hint.due if isinstance(hint, DeadlineHint) else ''}" for hint in hints)
        return [SetSlots({"legal_hinted": mark}), *told] if mark != context.slots.get("legal_hinted") else []

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
        by_text = [Say("utter_legal_opened_text")] if _way(context) is ContactWay.TEXT else []
        return [
            SetSlots({"legal_receipt": opened.receipt, "legal_pictures": None}),
            _opened_text(opened),
            *by_text,
            Say("utter_legal_evidence_tips", {"evidence": "、".join(topic.evidence) or "聊天记录、照片、单据"}),
        ]

    def _draft(self, context: ActionContext, topic: Topic) -> CaseDraft:
        slots = context.slots
        people = slots.get("legal_people")
        way, times = _way(context), slots.get("legal_times")
        named = way is ContactWay.IN_PERSON or slots.get("legal_leaves_name") is True
        guessed = slots.get("legal_guess") == topic.code
        return CaseDraft(
            openid=context.openid,
            topic=topic.code,
            county=text_of(slots.get("legal_county")),
            topic_source=TopicSource.RECOGNISED if guessed else TopicSource.CHOSEN,
            is_anonymous=not named,
            employer=text_of(slots.get("legal_employer")),
            people_count=int(people) if isinstance(people, int | float) else 1,
            contact_way=way,
            name=text_of(slots.get("legal_name")) if named else "",
            phone="" if way is ContactWay.TEXT else text_of(slots.get("legal_mobile")),
            callback_times=tuple(map(text_of, times)) if isinstance(times, list) else (),
            fears_retaliation=slots.get("legal_fear") is True,
            story=text_of(slots.get("legal_story")),
            facts=self._case_facts(context),
        )

    def _case_facts(self, context: ActionContext) -> Mapping[str, str]:
        keys = (*(fact.key for fact in self._topic(context).facts), *EVERY_CASE)
        told = {key: context.slots.get(f"{FACT_PREFIX}{key}") for key in keys}
        return {key: _fact_text(value) for key, value in told.items() if value is not None}

    def _topic(self, context: ActionContext) -> Topic:
        return self._topics[text_of(context.slots.get("legal_code"))]


def _guess(seen: Recognised) -> SetSlots:
    hurt = not BODY_AND_HEALTH.isdisjoint((seen.code, *seen.alternatives))
    return SetSlots({"legal_guess": seen.code, "legal_hurt": hurt})


def _told(context: ActionContext, story: str) -> SetSlots:
    """Return what a story surely tells besides its topic: how many people, and where."""
    learnt: dict[str, SlotValue] = {}
    shown: list[str] = []
    of_people = tuple(hit for hit in find_counts(story) if PERSON in story[hit.start : hit.end])
    people, county = only_value(of_people), only_value(find_counties(story))
    if people is not None and not people.about and context.slots.get("legal_people") is None:
        learnt["legal_people"] = people.low
        shown.append(f"{people.low}人")
    if county is not None and context.slots.get("legal_county") is None:
        learnt["legal_county"] = county.code
        shown.append(County.by_code(county.code).short)
    return SetSlots({**learnt, "legal_noted": "，".join(shown) or None})


def _way(context: ActionContext) -> ContactWay:
    return ContactWay(text_of(context.slots.get("legal_way")) or ContactWay.TEXT.value)


def _fact_text(value: SlotValue) -> str:
    """Return a fact in the form in which cases keep it: dates as they are, yes and no, sums in yuan."""
    match value:
        case bool():
            return "yes" if value else "no"
        case list():
            return "、".join(map(text_of, value))
        case {"low_cents": int(low), "high_cents": int(high)}:
            ends = dict.fromkeys(f"{cents / CENTS_PER_YUAN:g}" for cents in (low, high))
            about = isinstance(value, dict) and value.get("about")
            return f"{'约' if about else ''}{'–'.join(ends)}元"
        case _:
            return text_of(value)


def _topic_option(topic: Topic, aliases: tuple[str, ...] = ()) -> Option:
    return Option(topic.label, topic.label, aliases)


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
