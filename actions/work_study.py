"""Actions of the flow ``register_work_study``."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from actions.materials import MaterialDesk
from actions.programmes import ProgrammeDesk, programme_fields
from actions.registrations import status_label
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
from bot.values.counties import County
from bot.values.identity import IdentityNumber, parse_identity_number
from bot.values.problem import FieldValue, Problem

POSTS_MAX = 3
OFFLINE = {"minor.under_14": "utter_ws_offline_under_14", "minor.under_16": "utter_ws_offline_under_16"}
"""What is said when a law keeps it from being done online."""
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
GO_ON = (
    Option("go_on", "继续填，请人工看一下", ("继续", "人工看")),
    Option("check", "身份证号填错了，重新填", ("填错了", "重新填", "重填")),
    Option("stop", "先不报了", ("不报了", "算了")),
)
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
            "action_work_study_offline": self.offline,
            "action_work_study_submit": self.submit,
            "action_work_study_store_material": self.store_material,
            "action_ask_ws_county": self.ask_county,
            "action_ask_ws_posts": self.ask_posts,
            "action_ask_ws_go_on": self.ask_go_on,
            "validate_ws_student_id": self.validate_student_id,
            "validate_ws_parent_id": self.validate_parent_id,
            "validate_ws_emergency_mobile": self.validate_emergency_mobile,
            "validate_ws_available": self.validate_available,
            "validate_ws_posts": self.validate_posts,
        }

    async def open(self, context: ActionContext) -> Sequence[Event]:
        """Begin, or say why it is not possible now. What was kept from last time fills the parent's part."""
        prefill = await self._followers.prefill(context.openid)
        known: dict[str, SlotValue] = {}
        if prefill is not None:
            known = {name: prefill.values[name] for name in PREFILLED if name in prefill.values}
        return await self._desk.open_events(ProgrammeKind.WORK_STUDY, "ws_window", known)

    async def conditions(self, context: ActionContext) -> Sequence[Event]:
        """Tell the programme's own conditions."""
        return [Say("utter_ws_conditions", programme_fields(await self._programme(context)))]

    async def ask_county(self, context: ActionContext) -> Sequence[Event]:
        """Offer the counties that have posts."""
        posts = await self._registrations.posts((await self._programme(context)).id)
        codes = dict.fromkeys(post.county for post in posts)
        counties = [County.by_code(code) for code in codes]
        return [OfferOptions(tuple(Option(county.code, county.short, (county.full_name,)) for county in counties))]

    async def ask_posts(self, context: ActionContext) -> Sequence[Event]:
        """Offer the posts of the chosen county."""
        county = text_of(context.slots.get("ws_county"))
        posts = await self._registrations.posts((await self._programme(context)).id, county=county or None)
        options = tuple(Option(str(post.post_id), f"{post.unit}·{post.title}（{post.places}人）") for post in posts)
        return [OfferOptions(options)]

    async def validate_student_id(self, context: ActionContext) -> Sequence[Event]:
        """Derive the age, and what the programme's rules say about it; nobody is refused for good by this."""
        number = parse_identity_number(text_of(context.slots.get("ws_student_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        programme = await self._programme(context)
        duplicate = await self._registrations.duplicate_of(programme.id, number.text, context.openid)
        today = self._clock.now().date()
        findings = precheck(programme, Person(number.birth_date), today)
        offline = _first(findings, Weight.OFFLINE)
        review = _first(findings, Weight.REVIEW)
        events: list[Event] = [
            SetSlots(
                {
                    "ws_offline": offline.code if offline else None,
                    "ws_review_hint": review.code if review else None,
                    "ws_minor": _first(findings, Weight.NEEDED) is not None,
                    "ws_birth_date": number.birth_date.isoformat(),
                }
            )
        ]
        if duplicate is not None and not duplicate.editable:
            events.append(_say_duplicate(duplicate))
        return events

    async def ask_go_on(self, context: ActionContext) -> Sequence[Event]:
        """Say what does not fit the rules of this period; going on is always possible."""
        programme = await self._programme(context)
        born = date.fromisoformat(text_of(context.slots.get("ws_birth_date")))
        findings = [
            finding
            for finding in precheck(programme, Person(born), self._clock.now().date())
            if finding.weight is Weight.REVIEW
        ]
        return [OfferOptions(GO_ON, finding_fields(findings), HINTS[findings[0].code])]

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

    async def validate_available(self, context: ActionContext) -> Sequence[Event]:
        """Refuse a time that does not touch the programme's."""
        span = context.slots.get("ws_available")
        programme = await self._programme(context)
        if isinstance(span, dict):
            start, end = date.fromisoformat(text_of(span["from"])), date.fromisoformat(text_of(span["to"]))
            if end < programme.service_start or start > programme.service_end:
                return [Reject(Problem("ws.available_outside"))]
        return []

    async def validate_posts(self, context: ActionContext) -> Sequence[Event]:
        """Refuse more than three posts."""
        chosen = context.slots.get("ws_posts")
        if isinstance(chosen, list) and len(chosen) > POSTS_MAX:
            return [Reject(Problem("ws.too_many_posts", {"max": POSTS_MAX}))]
        return []

    async def offline(self, context: ActionContext) -> Sequence[Event]:
        """Explain which law keeps this from being done online, and what else there is."""
        programme = await self._programme(context)
        born = date.fromisoformat(text_of(context.slots.get("ws_birth_date")))
        findings = precheck(programme, Person(born), self._clock.now().date())
        return [Say(OFFLINE[text_of(context.slots.get("ws_offline"))], finding_fields(findings))]

    async def submit(self, context: ActionContext) -> Sequence[Event]:
        """Hand the form in; the receipt number is the answer."""
        number = parse_identity_number(text_of(context.slots.get("ws_student_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        programme = await self._programme(context)
        outcome = await self._registrations.submit(await self._application(context, programme, number))
        await self._followers.save_profile(
            context.openid, {name: text_of(context.slots.get(name)) for name in PREFILLED}
        )
        return self._submitted(programme, outcome)

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
            case Full() | Gone():
                return [Say("utter_programme_full", programme_fields(programme))]
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
        return await self._desk.get(text_of(context.slots.get("programme_id")))


def _first(findings: Sequence[Finding], weight: Weight) -> Finding | None:
    return next((finding for finding in findings if finding.weight is weight), None)


def _say_duplicate(duplicate: Duplicate) -> Say:
    if duplicate.receipt is None:
        return Say("utter_ws_duplicate_other")
    return Say("utter_ws_duplicate", {"receipt": duplicate.receipt, "status": status_label(duplicate.status)})
