"""Actions of the flows in ``flows/registrations.yml``: look up, change, cancel, answer an offer, hand files in."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from actions.materials import NOTHING_MISSING, MaterialDesk
from actions.posts import county_options, post_options, refuse_too_many, refuse_without_posts
from actions.standings import case_label, place_text, standing, status_label
from actions.wording import moment_text, text_of
from bot.dialogue.choices import find_options
from bot.dialogue.events import ActionContext, ActionTable, Event, OfferOptions, Option, Say, SetSlots
from bot.legal.service import LegalService
from bot.programmes.models import ProgrammeKind
from bot.programmes.service import ProgrammeService
from bot.registrations.outcomes import (
    Accepted,
    Cancelled,
    Changed,
    ChangeOutcome,
    Changes,
    Declined,
    Duplicate,
    Full,
    Gone,
    NotFound,
    NotPossible,
    OfferGone,
    TooLate,
)
from bot.registrations.reasons import ReasonTable
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.registrations.views import RegistrationView
from bot.values.found import only_value

CHANGEABLE = frozenset({Status.PENDING, Status.RETURNED, Status.WAITLISTED, Status.APPROVED})
SHOWN_MAX = 3
NOT_BY_A_WORD = frozenset({"people", "cancel"})
"""What is not done because the first words name it: the choice is made with the others in sight."""

CANCEL_SURE = (
    Option("true", "确定取消", ("取消", "确定", "不去了")),
    Option("false", "不取消", ("留着", "先不取消", "算了")),
)
TAKE_IT = (
    Option("true", "要", ("要得", "接受", "确认", "确认候补")),
    Option("false", "不要", ("不去", "放弃", "不要了")),
)
TEXT_FIELDS: Mapping[str, str] = {
    "ws_student_school": "学校",
    "ws_student_major": "专业",
    "ws_parent_employer": "家长单位",
    "hs_employer": "工作单位",
}


class RegistrationActions:
    """Everything after a registration was made."""

    def __init__(
        self,
        registrations: RegistrationService,
        programmes: ProgrammeService,
        cases: LegalService,
        materials: MaterialDesk,
        reasons: ReasonTable,
    ) -> None:
        self._registrations = registrations
        self._programmes = programmes
        self._cases = cases
        self._materials = materials
        self._reasons = reasons

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_check_status": self.check_status,
            "action_list_changeable": self.list_changeable,
            "action_list_cancellable": self.list_cancellable,
            "action_ask_reg_receipt": self.ask_receipt,
            "action_ask_reg_field": self.ask_field,
            "action_ask_reg_county": self.ask_county,
            "action_ask_reg_posts": self.ask_posts,
            "validate_reg_county": self.validate_county,
            "validate_reg_posts": self.validate_posts,
            "action_ask_reg_sure": self.ask_sure,
            "action_change_registration": self.change,
            "action_cancel_registration": self.cancel,
            "action_find_offer": self.find_offer,
            "action_ask_reg_accept": self.ask_accept,
            "action_answer_offer": self.answer_offer,
            "action_find_missing": self.find_missing,
        }

    async def check_status(self, context: ActionContext) -> Sequence[Event]:
        """Tell how the follower's registrations and cases stand, the newest first."""
        views = await self._registrations.find_for(context.openid, limit=SHOWN_MAX)
        cases = await self._cases.cases_of(context.openid)
        said: list[Event] = [standing(view, self._reasons) for view in views]
        said += [
            Say("utter_status_case", {"receipt": case.receipt, "status": case_label(case.status)})
            for case in cases[:SHOWN_MAX]
        ]
        return said or [Say("utter_status_none")]

    async def list_changeable(self, context: ActionContext) -> Sequence[Event]:
        """Count what may be changed; a single one is chosen at once."""
        return await self._listed(context, "utter_reg_nothing_to_change")

    async def list_cancellable(self, context: ActionContext) -> Sequence[Event]:
        """Count what may be cancelled; a single one is chosen at once."""
        return await self._listed(context, "utter_reg_nothing_to_cancel")

    async def _listed(self, context: ActionContext, nothing: str) -> Sequence[Event]:
        live = await self._live(context)
        if not live:
            return [SetSlots({"reg_count": 0}), Say(nothing)]
        if len(live) == 1:
            return [SetSlots({"reg_count": 1, "reg_receipt": live[0].receipt})]
        return [SetSlots({"reg_count": len(live)})]

    async def _live(self, context: ActionContext) -> list[RegistrationView]:
        views = await self._registrations.find_for(context.openid)
        return [view for view in views if view.status in CHANGEABLE]

    async def ask_receipt(self, context: ActionContext) -> Sequence[Event]:
        """Offer the registrations that are still live."""
        live = await self._live(context)
        options = tuple(
            Option(view.receipt, f"{view.programme_title} {view.name_masked} {view.receipt}") for view in live
        )
        return [OfferOptions(options)]

    async def ask_field(self, context: ActionContext) -> Sequence[Event]:
        """Offer what may be changed in this registration."""
        view = await self._view(context)
        options: list[Option] = []
        if view is not None and view.kind is ProgrammeKind.HEALTH_SCREENING:
            options.append(Option("slot", "日期和时间", ("时间", "日期", "改期", "换时间")))
            options.append(Option("hs_employer", "工作单位", ("单位",)))
        elif view is not None:
            options += [Option(code, TEXT_FIELDS[code]) for code in TEXT_FIELDS if code.startswith("ws_")]
            if view.status is not Status.APPROVED:
                options.append(Option("posts", "区县和岗位", ("岗位", "区县", "换岗位", "换区县", "换地方")))
        options.append(Option("phone", "手机号", ("电话", "号码")))
        options.append(Option("people", "别的（姓名、证件号等）", ("姓名", "证件号", "身份证", "别的")))
        options.append(Option("cancel", "不去了，取消", ("取消",)))
        named = only_value(find_options(context.said, [one for one in options if one.value not in NOT_BY_A_WORD]))
        # 改手机号 has said which; who comes to be asked after that is asked.
        return [OfferOptions(tuple(options))] if named is None else [SetSlots({"reg_field": named})]

    async def ask_county(self, context: ActionContext) -> Sequence[Event]:
        """Offer the counties that have posts."""
        view = await self._view(context)
        posts = await self._registrations.posts(view.programme_id) if view is not None else ()
        return [OfferOptions(county_options(posts))]

    async def ask_posts(self, context: ActionContext) -> Sequence[Event]:
        """Offer the posts of the county."""
        view, county = await self._view(context), text_of(context.slots.get("reg_county"))
        posts = await self._registrations.posts(view.programme_id, county=county) if view is not None else ()
        return [OfferOptions(post_options(posts))]

    async def validate_county(self, context: ActionContext) -> Sequence[Event]:
        """Refuse a county that has no posts."""
        view = await self._view(context)
        posts = await self._registrations.posts(view.programme_id) if view is not None else ()
        return refuse_without_posts(text_of(context.slots.get("reg_county")), posts)

    async def validate_posts(self, context: ActionContext) -> Sequence[Event]:
        """Refuse more posts than may be named."""
        return refuse_too_many(context.slots.get("reg_posts"))

    async def change(self, context: ActionContext) -> Sequence[Event]:
        """Apply the change that was asked for."""
        receipt, field = text_of(context.slots.get("reg_receipt")), text_of(context.slots.get("reg_field"))
        changes = _changes(context, field)
        if changes is None:
            return []
        outcome = await self._registrations.change(receipt, context.openid, changes, context.idempotency_key)
        return await self._changed(context, field, outcome)

    async def _changed(self, context: ActionContext, field: str, outcome: ChangeOutcome) -> Sequence[Event]:
        match outcome:
            case Changed():
                return await self._made(context, field, outcome)
            case Full() | Gone():
                return [Say("utter_reg_slot_full")]
            case TooLate():
                return [Say("utter_reg_too_late", {"deadline": moment_text(outcome.deadline)})]
            case NotPossible():
                return [Say("utter_reg_not_possible", {"status": status_label(outcome.status)})]
            case Duplicate():
                return [Say("utter_reg_not_possible", {"status": status_label(outcome.status)})]
            case NotFound():
                return [Say("utter_reg_nothing_to_change")]
            case _:
                assert_never(outcome)

    async def _made(self, context: ActionContext, field: str, outcome: Changed) -> Sequence[Event]:
        """Say what was changed; what was sent back and wants no files any more goes to review again."""
        receipt = outcome.receipt
        view = await self._registrations.find_by_receipt(receipt, context.openid)
        if field == "slot" and view is not None:
            return [Say("utter_reg_changed_slot", {"receipt": receipt, "place": place_text(view)})]
        if view is not None and view.status is Status.RETURNED and not wanted_files(view):
            await self._registrations.resubmit(receipt, context.openid, context.idempotency_key)
            return [Say("utter_reg_changed_review", {"receipt": receipt})]
        key = "utter_reg_changed_review" if outcome.review_again else "utter_reg_changed"
        return [Say(key, {"receipt": receipt})]

    async def ask_sure(self, context: ActionContext) -> Sequence[Event]:
        """Name the registration that would be cancelled."""
        view = await self._view(context)
        if view is None:
            return [SetSlots({"reg_sure": False})]
        return [OfferOptions(CANCEL_SURE, {"title": view.programme_title, "receipt": view.receipt})]

    async def cancel(self, context: ActionContext) -> Sequence[Event]:
        """Cancel for good; the place goes to who waits."""
        outcome = await self._registrations.cancel(
            text_of(context.slots.get("reg_receipt")),
            context.openid,
            context.idempotency_key,
        )
        match outcome:
            case Cancelled():
                return [Say("utter_reg_cancelled", {"receipt": outcome.receipt})]
            case TooLate():
                return [Say("utter_reg_too_late", {"deadline": moment_text(outcome.deadline)})]
            case NotPossible():
                return [Say("utter_reg_not_possible", {"status": status_label(outcome.status)})]
            case NotFound():
                return [Say("utter_reg_nothing_to_cancel")]
            case _:
                assert_never(outcome)

    async def find_offer(self, context: ActionContext) -> Sequence[Event]:
        """Find the place that was offered to this follower, if any."""
        offered = await self._offered(context)
        if offered is None:
            return [SetSlots({"reg_receipt": None}), Say("utter_offer_none")]
        return [SetSlots({"reg_receipt": offered.receipt})]

    async def ask_accept(self, context: ActionContext) -> Sequence[Event]:
        """Say which place is offered and until when."""
        offered = await self._offered(context)
        if offered is None or offered.offer_expires_at is None:
            return [SetSlots({"reg_accept": False}), Say("utter_offer_gone")]
        fields = {
            "title": offered.programme_title,
            "place": place_text(offered),
            "until": moment_text(offered.offer_expires_at),
        }
        return [OfferOptions(TAKE_IT, fields)]

    async def _offered(self, context: ActionContext) -> RegistrationView | None:
        views = await self._registrations.find_for(context.openid)
        return next((view for view in views if view.offer_expires_at is not None), None)

    async def answer_offer(self, context: ActionContext) -> Sequence[Event]:
        """Take the place, or let the next one have it."""
        receipt = text_of(context.slots.get("reg_receipt"))
        accept = context.slots.get("reg_accept") is True
        answer = self._registrations.accept_offer if accept else self._registrations.decline_offer
        outcome = await answer(receipt, context.openid, context.idempotency_key)
        match outcome:
            case Accepted():
                return [Say("utter_offer_accepted", {"receipt": outcome.receipt})]
            case Declined():
                return [Say("utter_offer_declined")]
            case OfferGone() | NotFound():
                return [Say("utter_offer_gone")]
            case _:
                assert_never(outcome)

    async def find_missing(self, context: ActionContext) -> Sequence[Event]:
        """Find the first registration that still wants a file."""
        for view in await self._registrations.find_for(context.openid):
            if view.status not in CHANGEABLE:
                continue
            programme = await self._programmes.get(view.programme_id)
            next_file = self._materials.next_slots(programme, wanted_files(view))
            if next_file["ws_missing_code"] is not None:
                return [SetSlots({"ws_receipt": view.receipt, "programme_id": view.programme_id, **next_file})]
        return [SetSlots(dict(NOTHING_MISSING)), Say("utter_materials_none")]

    async def _view(self, context: ActionContext) -> RegistrationView | None:
        receipt = text_of(context.slots.get("reg_receipt"))
        return await self._registrations.find_by_receipt(receipt, context.openid)


def wanted_files(view: RegistrationView) -> tuple[str, ...]:
    """Return the codes of the files to ask for: what staff sent it back for, and what was never handed in."""
    returned = view.returned_files if view.status is Status.RETURNED else ()
    return tuple(dict.fromkeys((*returned, *view.missing)))


def _changes(context: ActionContext, field: str) -> Changes | None:
    """Return the change that the slots describe, ``None`` when there is nothing to change to."""
    match field:
        case "slot":
            chosen = text_of(context.slots.get("reg_slot"))
            return None if chosen == "none" else Changes(slot_id=int(chosen))
        case "phone":
            return Changes(phone=text_of(context.slots.get("reg_mobile")))
        case "posts":
            posts, county = context.slots.get("reg_posts"), text_of(context.slots.get("reg_county"))
            first = int(text_of(posts[0])) if isinstance(posts, list) and posts else None
            return Changes(county=county, post_id=first, answers={"ws_county": county, "ws_posts": posts})
        case _:
            return Changes(answers={field: text_of(context.slots.get("reg_value"))})
