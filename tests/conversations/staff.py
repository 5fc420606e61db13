"""What staff do before or in the middle of a conversation test: edit programmes and slots, review, answer chats."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Final, cast

from bot.campaigns.audience import AllOf, Named, from_json
from bot.campaigns.models import SendChannel
from bot.campaigns.reach import Wanted
from bot.inbox.desk import Reopened
from bot.inbox.models import ChatStatus
from bot.programmes.models import Post, Programme, ProgrammeKind
from bot.programmes.snapshots import JsonValue, from_plain, to_plain
from bot.registrations.places import RowPlaceLock
from bot.registrations.reasons import ReasonTable
from bot.registrations.review import Decision, ReviewService
from bot.registrations.statuses import Actor, ActorKind
from bot.values.clock import MovedClock
from tests.support.assistant import Assistant
from tests.support.conversations import ConversationFailed, Part

EDITOR: Final = "demo"
_RELATIVE = re.compile(r"([+-]\d+)d")


class Staff:
    """Staff of every kind, in one person.

    ``{programme: work_study, close_at: +3d}`` edits fields of the programme that is current; ``+3d`` counts from now.
    ``{post: bj-care, closed: true}`` edits a post, or adds one when its code is new.
    ``{slot: {site: st-mch, day: +4d, start: "16:00"}, capacity: 0}`` edits a slot. ``{review: approve, reason: …}``
    decides on the newest registration of the follower who has the word. ``{chat: close}`` ends that follower's
    chat, ``{chat: hand_back}`` gives it back to the bot, ``{chat: reopen}`` takes it up again, ``{answer: …}`` writes
    in it, and ``{chat: begin, answer: …}`` does so in a new one.
    ``{audience: {kind: unit, units: […]}, finds: true}`` looks whether a campaign to them would reach that follower.
    """

    def __init__(self, assistant: Assistant, clock: MovedClock) -> None:
        self._assistant = assistant
        self._clock = clock
        self._decisions = 0

    async def act(self, part: Part, openid: str) -> None:
        """Do what ``part`` says; raises ValueError when that is nothing staff can do."""
        values = dict(part)
        if "programme" in values:
            await self._edit_programme(ProgrammeKind(str(values.pop("programme"))), values)
        elif "post" in values:
            await self._edit_post(str(values.pop("post")), values)
        elif "slot" in values:
            await self._edit_slot(cast("Mapping[str, object]", values["slot"]), values)
        elif "review" in values:
            await self._review(openid, str(values.pop("review")), values)
        elif "audience" in values:
            await self._count(openid, cast("Mapping[str, object]", values["audience"]), finds=bool(values["finds"]))
        elif "answer" in values or "chat" in values:
            await self._chat(openid, values)
        else:
            raise ValueError(f"staff cannot do {part}")

    async def _edit_programme(self, kind: ProgrammeKind, changes: Mapping[str, object]) -> None:
        programmes = self._assistant.bot.records.programmes
        programme = await programmes.current(kind)
        assert programme is not None, f"there is no programme of {kind}"
        plain = dict(cast("Mapping[str, JsonValue]", to_plain(programme)))
        unknown = changes.keys() - plain.keys()
        if unknown:
            raise ValueError(f"a programme has no {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            plain[name] = self._value(value, with_time=name.endswith("_at"))
        await programmes.edit(from_plain(Programme, plain), editor=EDITOR, note="a conversation test")

    def _value(self, value: object, *, with_time: bool) -> JsonValue:
        match = _RELATIVE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return cast("JsonValue", value)
        moment = self._clock.now() + timedelta(days=int(match[1]))
        return moment.isoformat() if with_time else moment.date().isoformat()

    async def _edit_post(self, code: str, values: Mapping[str, object]) -> None:
        programmes = self._assistant.bot.records.programmes
        programme = await programmes.current(ProgrammeKind.WORK_STUDY)
        assert programme is not None, "there is no work-study"
        known = {post.code: post for post in await programmes.posts(programme.id)}
        if code in known:
            plain = {
                **cast("Mapping[str, JsonValue]", to_plain(known[code])),
                **cast("Mapping[str, JsonValue]", values),
            }
            await programmes.edit_row(from_plain(Post, plain), editor=EDITOR, note="a conversation test")
        else:
            given = {"programme_id": programme.id, "code": code, **cast("Mapping[str, JsonValue]", values)}
            await programmes.add_posts([from_plain(Post, given)], editor=EDITOR)

    async def _edit_slot(self, which: Mapping[str, object], values: Mapping[str, object]) -> None:
        records = self._assistant.bot.records
        programme = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
        assert programme is not None, "there is no screening"
        sites = {site.id: site.code for site in await records.programmes.sites(programme.id)}
        day = date.fromisoformat(str(self._value(which["day"], with_time=False)))
        start = time.fromisoformat(str(which["start"]))
        for free in await records.registrations.slots(programme.id):
            if (sites[free.site_id], free.day, free.start) == (which["site"], day, start):
                slot = await records.programmes.slot(free.slot_id)
                changed = replace(slot, capacity=int(str(values.get("capacity", slot.capacity))))
                await records.programmes.edit_row(changed, editor=EDITOR, note="a conversation test")
                return
        raise ValueError(f"there is no slot {which}")

    async def _review(self, openid: str, decision: str, values: Mapping[str, object]) -> None:
        records = self._assistant.bot.records
        reviews = ReviewService(
            records.database,
            records.cipher,
            self._clock,
            RowPlaceLock(),
            audit=records.audit,
            reasons=ReasonTable.from_file(),
        )
        newest, *_ = await records.registrations.find_for(openid)
        self._decisions += 1
        made = Decision(
            receipt=newest.receipt,
            by=Actor(ActorKind.REVIEWER, EDITOR),
            key=f"decision-{newest.receipt}-{self._decisions}",
            reason=str(values["reason"]),
        )
        match decision:
            case "approve":
                await reviews.approve(made)
            case "return":
                items = [str(item) for item in cast("list[object]", values["items"])]
                await reviews.return_(made, items=items, until=self._in_days(values.get("days", 3)))
            case "reject":
                await reviews.reject(made)
            case "waitlist":
                await reviews.waitlist(made)
            case "cancel":
                await reviews.cancel(made)
            case _:
                raise ValueError(f"no such decision: {decision}")

    def _in_days(self, days: object) -> datetime:
        return self._clock.now() + timedelta(days=int(str(days)))

    async def _count(self, openid: str, audience: Mapping[str, object], *, finds: bool) -> None:
        wanted = Wanted(SendChannel.MASS_LIST, AllOf((from_json(audience), Named((openid,)))))
        plan = await self._assistant.bot.records.campaigns.planner.plan(wanted)
        if bool(plan.matched) is not finds:
            raise ConversationFailed(f"{audience} {'finds' if plan.matched else 'does not find'} the follower")

    async def _chat(self, openid: str, values: Mapping[str, object]) -> None:
        records = self._assistant.bot.records
        desk, step = records.desk, values.get("chat")
        if step == "begin":
            # As a lawyer does who answers somebody without being asked for.
            await records.inbox.escalate(openid, "legal", "", f"begin-{self._clock.now()}", reason="lawyer")
        if step == "reopen":
            ended = [chat for chat in await desk.chats(status=ChatStatus.CLOSED) if chat.openid == openid]
            reopened = await desk.reopen(ended[-1].id, EDITOR)
            assert isinstance(reopened, Reopened), reopened
            return
        chat = await records.inbox.open_chat_of(openid)
        assert chat is not None, "the follower is in no chat with staff"
        if "answer" in values:
            await desk.answer(chat.id, EDITOR, str(values["answer"]), f"answer-{self._clock.now()}")
        elif step == "close":
            await desk.close(chat.id, EDITOR, "solved")
        elif step == "hand_back":
            await desk.hand_back(chat.id, EDITOR)
        else:
            raise ValueError(f"staff cannot do {values} in a chat")
