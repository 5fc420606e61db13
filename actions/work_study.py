"""Actions of the flow ``register_work_study``."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from actions.materials import MaterialDesk
from actions.posts import county_options, post_options, refuse_too_many, refuse_without_posts
from actions.programmes import ProgrammeDesk, programme_fields
from actions.standings import status_label
from actions.wording import HINTS, finding_fields, text_of
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
from bot.followers.consents import ConsentService
from bot.followers.service import FollowerService
from bot.programmes.models import Programme, ProgrammeKind
from bot.programmes.rules import Finding, Person, Weight, precheck
from bot.registrations.outcomes import (
    Application,
    Duplicate,
    Full,
    Gone,
    Incomplete,
    NotOnline,
    NotOpen,
    SubmitOutcome,
    Submitted,
)
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.values.clock import Clock
from bot.values.identity import IdentityNumber, parse_identity_number
from bot.values.problem import FieldValue, Problem

UNDER_14, UNDER_16 = "minor.under_14", "minor.under_16"
OFFLINE = {UNDER_14: "utter_ws_under_14", UNDER_16: "utter_ws_under_16"}
"""What is said when a law keeps it from being done online."""
DUPLICATE = "duplicate"
"""``ws_stop`` when somebody has registered this student already; otherwise it is a key of ``OFFLINE``."""
ANSWERS = (
    "ws_filler",
    "ws_student_school",
    "ws_student_stage",
    "ws_student_grade",
    "ws_student_major",
    "ws_parent_name",
    "ws_parent_relation",
    "ws_parent_id",
    "ws_parent_mobile",
    "ws_parent_employer",
    "ws_parent_union",
    "ws_parent_category",
    "ws_hardship",
    "ws_archive_number",
    "ws_hardship_note",
    "ws_available",
    "ws_county",
    "ws_posts",
    "ws_adjust",
    "ws_skills",
    "ws_fit",
    "ws_lodging",
    "ws_emergency_name",
    "ws_emergency_mobile",
)
WHOLE_TIME = Option(
    "whole", "全程都可以", ("全程", "随时", "随时都可以", "都可以", "都得行", "整个假期", "一直都可以")
)
GO_ON = Option("go_on", "继续填，请人工看一下", ("继续", "人工看"))
CHECK = Option("check", "身份证号填错了，重新填", ("填错了", "重新填", "重填"))
STOP = Option("stop", "先不报了", ("不报了", "算了"))
PREFILLED = ("ws_parent_name", "ws_parent_mobile", "ws_parent_employer")


class WorkStudyActions:
    """Reads the form's slots, calls the services, returns events."""

    def __init__(
        self,
        desk: ProgrammeDesk,
        registrations: RegistrationService,
        consents: ConsentService,
        followers: FollowerService,
        materials: MaterialDesk,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._registrations = registrations
        self._consents = consents
        self._followers = followers
        self._materials = materials
        self._clock = clock

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_work_study_open": self.open,
            "action_work_study_conditions": self.conditions,
            "action_work_study_duplicate": self.duplicate,
            "action_work_study_submit": self.submit,
            "action_work_study_store_material": self.store_material,
            "action_ask_ws_county": self.ask_county,
            "action_ask_ws_posts": self.ask_posts,
            "action_ask_ws_go_on": self.ask_go_on,
            "validate_ws_student_id": self.validate_student_id,
            "validate_ws_parent_id": self.validate_parent_id,
            "validate_ws_emergency_mobile": self.validate_emergency_mobile,
            "action_ask_ws_available": self.ask_available,
            "validate_ws_available": self.validate_available,
            "validate_ws_county": self.validate_county,
            "validate_ws_posts": self.validate_posts,
        }

    async def open(self, context: ActionContext) -> Sequence[Event]:
        """Begin, or say why it is not possible now. What was kept from last time fills the parent's part."""
        known: dict[str, SlotValue] = {"ws_waiting": None}
        programme = await self._desk.open_now(ProgrammeKind.WORK_STUDY)
        crowd = await self._registrations.crowd(programme.id) if programme is not None else None
        if programme is not None and crowd is not None:
            if not crowd.waitlist_open:
                return [SetSlots({"ws_window": "full"}), Say("utter_programme_full", programme_fields(programme))]
            known["ws_waiting"] = crowd.waiting
        prefill = await self._followers.prefill(context.openid)
        if prefill is not None:
            known |= {name: prefill.values[name] for name in PREFILLED if name in prefill.values}
        return await self._desk.open_events(ProgrammeKind.WORK_STUDY, "ws_window", known)

    async def conditions(self, context: ActionContext) -> Sequence[Event]:
        """Tell the programme's own conditions."""
        return [Say("utter_ws_conditions", programme_fields(await self._programme(context)))]

    async def ask_county(self, context: ActionContext) -> Sequence[Event]:
        """Offer the counties that have posts."""
        return [OfferOptions(county_options(await self._registrations.posts(self._programme_id(context))))]

    async def ask_posts(self, context: ActionContext) -> Sequence[Event]:
        """Offer the posts of the chosen county."""
        county = text_of(context.slots.get("ws_county"))
        posts = await self._registrations.posts(self._programme_id(context), county=county or None)
        return [OfferOptions(post_options(posts))]

    async def validate_student_id(self, context: ActionContext) -> Sequence[Event]:
        """Derive the age, and what the programme's rules say about it; nobody is refused for good by this."""
        number = parse_identity_number(text_of(context.slots.get("ws_student_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        programme = await self._programme(context)
        known = await self._registrations.duplicate_of(programme.id, number.text, context.openid)
        findings = self._findings(programme, number.birth_date)
        offline, review = _first(findings, Weight.OFFLINE), _first(findings, Weight.REVIEW)
        return [
            SetSlots(
                {
                    "ws_stop": DUPLICATE if known is not None else offline.code if offline is not None else None,
                    "ws_review_hint": review.code if review is not None else None,
                    "ws_minor": _first(findings, Weight.NEEDED) is not None,
                    "ws_birth_date": number.birth_date.isoformat(),
                    "ws_go_on": None,
                }
            )
        ]

    async def ask_go_on(self, context: ActionContext) -> Sequence[Event]:
        """Say what does not fit the law or the rules of this period, and what can be done about it."""
        born = date.fromisoformat(text_of(context.slots.get("ws_birth_date")))
        findings = self._findings(await self._programme(context), born)
        stop = text_of(context.slots.get("ws_stop"))
        if stop:
            found = [finding for finding in findings if finding.code == stop]
            return [OfferOptions((CHECK, STOP), finding_fields(found), OFFLINE[stop])]
        found = [finding for finding in findings if finding.weight is Weight.REVIEW]
        return [OfferOptions((GO_ON, CHECK, STOP), finding_fields(found), HINTS[found[0].code])]

    async def duplicate(self, context: ActionContext) -> Sequence[Event]:
        """Tell the registration that there is already, as far as it is this follower's own."""
        number = text_of(context.slots.get("ws_student_id"))
        known = await self._registrations.duplicate_of(self._programme_id(context), number, context.openid)
        return [_say_duplicate(known)] if known is not None else []

    def _findings(self, programme: Programme, born: date) -> Sequence[Finding]:
        return precheck(programme, Person(born), self._clock.now().date())

    async def validate_parent_id(self, context: ActionContext) -> Sequence[Event]:
        """Refuse the student's own number."""
        if context.slots.get("ws_parent_id") == context.slots.get("ws_student_id"):
            return [Reject(Problem("ws.same_as_student"))]
        return []

    async def validate_emergency_mobile(self, context: ActionContext) -> Sequence[Event]:
        """Refuse a number that is the student's or the parent's own."""
        own = {context.slots.get("ws_student_mobile"), context.slots.get("ws_parent_mobile")}
        if context.slots.get("ws_emergency_mobile") in own:
            return [Reject(Problem("ws.emergency_same"))]
        return []

    async def ask_available(self, context: ActionContext) -> Sequence[Event]:
        """Offer the whole time of the programme."""
        del context
        return [OfferOptions((WHOLE_TIME,))]

    async def validate_available(self, context: ActionContext) -> Sequence[Event]:
        """Refuse a time that does not touch the programme's, and put its own dates for the whole of it."""
        span = context.slots.get("ws_available")
        programme = await self._programme(context)
        if span == WHOLE_TIME.value:
            whole: dict[str, SlotValue] = {
                "from": programme.service_start.isoformat(),
                "to": programme.service_end.isoformat(),
            }
            return [SetSlots({"ws_available": whole})]
        if isinstance(span, dict):
            start, end = date.fromisoformat(text_of(span["from"])), date.fromisoformat(text_of(span["to"]))
            if end < programme.service_start or start > programme.service_end:
                return [Reject(Problem("ws.available_outside"))]
        return []

    async def validate_county(self, context: ActionContext) -> Sequence[Event]:
        """Refuse a county that has no posts."""
        posts = await self._registrations.posts(self._programme_id(context))
        return refuse_without_posts(text_of(context.slots.get("ws_county")), posts)

    async def validate_posts(self, context: ActionContext) -> Sequence[Event]:
        """Refuse more than three posts."""
        return refuse_too_many(context.slots.get("ws_posts"))

    async def submit(self, context: ActionContext) -> Sequence[Event]:
        """Hand the form in; the receipt number is the answer."""
        number = parse_identity_number(text_of(context.slots.get("ws_student_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        programme = await self._programme(context)
        outcome = await self._registrations.submit(await self._application(context, programme, number))
        if isinstance(outcome, Submitted):
            await self._describe(context)
        return self._submitted(programme, outcome)

    async def _describe(self, context: ActionContext) -> None:
        """Remember what the form tells of the parent who filled it in; of others it tells nothing of the follower."""
        if context.slots.get("ws_filler") != "parent":
            return
        unit = text_of(context.slots.get("ws_parent_union")) or text_of(context.slots.get("ws_parent_employer"))
        await self._followers.describe(
            context.openid,
            county=text_of(context.slots.get("ws_county")) or None,
            category=text_of(context.slots.get("ws_parent_category")) or None,
            unit=unit or None,
        )

    async def _application(self, context: ActionContext, programme: Programme, number: IdentityNumber) -> Application:
        posts = context.slots.get("ws_posts")
        first_post = posts[0] if isinstance(posts, list) and posts else None
        return Application(
            programme_id=programme.id,
            openid=context.openid,
            key=context.idempotency_key,
            name=text_of(context.slots.get("ws_student_name")),
            phone=text_of(context.slots.get("ws_student_mobile")),
            id_number=number.text,
            birth_date=number.birth_date,
            sex=None,
            county=text_of(context.slots.get("ws_county")) or None,
            post_id=int(text_of(first_post)) if first_post is not None else None,
            relation=text_of(context.slots.get("ws_filler")),
            answers={name: context.slots.get(name) for name in ANSWERS if context.slots.get(name) is not None},
            consents=await self._consent_ids(context, programme),
        )

    async def _consent_ids(self, context: ActionContext, programme: Programme) -> dict[str, int]:
        given = context.slots.get("consent_ids")
        ids = {code: int(text_of(value)) for code, value in given.items()} if isinstance(given, dict) else {}
        if context.slots.get("ws_guardian") is not True:
            return ids
        for consent in programme.consents:
            if consent.needed_when and consent.code not in ids:
                view = await self._consents.record_consent(
                    context.openid,
                    consent.code,
                    text_version=consent.version,
                    text=consent.text,
                    channel="chat",
                    key=context.idempotency_key,
                    programme_id=programme.id,
                )
                ids[consent.code] = view.id
        return ids

    def _submitted(self, programme: Programme, outcome: SubmitOutcome) -> Sequence[Event]:
        match outcome:
            case Submitted():
                return self._received(programme, outcome)
            case Duplicate():
                return [_say_duplicate(outcome)]
            case Incomplete():
                return [Say("utter_ws_incomplete")]
            case NotOnline():
                return [Say(OFFLINE[outcome.findings[0].code], finding_fields(outcome.findings))]
            case NotOpen():
                return [Say("utter_programme_closed", programme_fields(programme))]
            case Full():
                return [Say("utter_programme_full", programme_fields(programme))]
            case Gone():
                # Without a value the question is asked again, and the review screen follows.
                return [SetSlots({"ws_posts": None}), Say("utter_ws_post_gone")]
            case _:
                assert_never(outcome)

    def _received(self, programme: Programme, outcome: Submitted) -> Sequence[Event]:
        key = "utter_ws_waitlisted" if outcome.status is Status.WAITLISTED else "utter_ws_submitted"
        fields: dict[str, FieldValue] = {"receipt": outcome.receipt, "position": outcome.waitlist_position or 0}
        return [
            SetSlots({"ws_receipt": outcome.receipt, **self._materials.next_slots(programme, outcome.missing)}),
            Say(key, fields),
        ]

    async def store_material(self, context: ActionContext) -> Sequence[Event]:
        """Fetch the photo that was sent, keep it privately, ask for the next one."""
        return await self._materials.store(
            context, receipt=text_of(context.slots.get("ws_receipt")), programme=await self._programme(context)
        )

    async def _programme(self, context: ActionContext) -> Programme:
        return await self._desk.get(self._programme_id(context))

    @staticmethod
    def _programme_id(context: ActionContext) -> str:
        return text_of(context.slots.get("programme_id"))


def _first(findings: Sequence[Finding], weight: Weight) -> Finding | None:
    return next((finding for finding in findings if finding.weight is weight), None)


def _say_duplicate(duplicate: Duplicate) -> Say:
    if duplicate.receipt is None:
        return Say("utter_ws_duplicate_other")
    return Say("utter_ws_duplicate", {"receipt": duplicate.receipt, "status": status_label(duplicate.status)})
