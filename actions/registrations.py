"""Actions of the flows in ``flows/registrations.yml``: look up, change, cancel, answer an offer, hand files in."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from actions.materials import NOTHING_MISSING, MaterialDesk
from actions.wording import day_with_weekday, moment_text, text_of, time_text
from bot.dialogue.events import ActionContext, ActionTable, Event, OfferOptions, Option, Say, SetSlots
from bot.legal.rules import UNIFIED_STATUS
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
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.registrations.views import RegistrationView

STATUS_LABELS: Mapping[Status, str] = {
    Status.DRAFT: "没填完",
    Status.PENDING: "待审核",
    Status.RETURNED: "要补材料",
    Status.WAITLISTED: "候补中",
    Status.APPROVED: "已通过",
    Status.REJECTED: "没有通过",
    Status.CANCELLED: "已取消",
    Status.NO_SHOW: "没有到场",
    Status.COMPLETED: "已完成",
    Status.VOID: "已过期",
}
CHANGEABLE = frozenset({Status.PENDING, Status.RETURNED, Status.WAITLISTED, Status.APPROVED})
SHOWN_MAX = 3
SLOTS_MAX = 8

TEXT_FIELDS: Mapping[str, str] = {
    "ws_student_school": "学校",
    "ws_student_major": "专业",
    "ws_parent_employer": "家长单位",
    "hs_employer": "工作单位",
}


def status_label(status: Status) -> str:
    """Return the status as workers read it."""
    return STATUS_LABELS[status]


class RegistrationActions:
    """Everything after a registration was made."""

    def __init__(
        self,
        registrations: RegistrationService,
        programmes: ProgrammeService,
        cases: LegalService,
        materials: MaterialDesk,
    ) -> None:
        self._registrations = registrations
        self._programmes = programmes
        self._cases = cases
        self._materials = materials

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_check_status": self.check_status,
            "action_list_changeable": self.list_changeable,
            "action_list_cancellable": self.list_cancellable,
            "action_ask_reg_receipt": self.ask_receipt,
            "action_ask_reg_field": self.ask_field,
            "action_ask_reg_slot": self.ask_slot,
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
        said: list[Event] = [
            Say(
                "utter_status_line",
                {
                    "title": view.programme_title,
                    "receipt": view.receipt,
                    "name": view.name_masked,
                    "status": status_label(view.status),
                    "detail": _detail(view),
                },
            )
            for view in views
        ]
        said += [
            Say(
                "utter_status_case",
                {"receipt": case.receipt, "status": status_label(Status(UNIFIED_STATUS[case.status]))},
            )
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
        options.append(Option("phone", "手机号", ("电话", "号码")))
        options.append(Option("people", "别的（姓名、证件号等）", ("姓名", "证件号", "身份证", "别的")))
        options.append(Option("cancel", "不去了，取消", ("取消",)))
        return [OfferOptions(tuple(options))]

    async def ask_slot(self, context: ActionContext) -> Sequence[Event]:
        """Offer free slots in the same county; the present one is kept meanwhile."""
        view = await self._view(context)
        if view is None:
            return [SetSlots({"reg_slot": "none"})]
        free = await self._registrations.slots(view.programme_id, county=view.county, openid=context.openid)
        now_id = view.slot.id if view.slot else None
        options = [
            Option(
                str(slot.slot_id),
                f"{slot.site_name} {day_with_weekday(slot.day)} {time_text(slot.start)}–{time_text(slot.end)} "
                f"余{slot.free}",
            )
            for slot in free
            if slot.free > 0 and slot.slot_id != now_id
        ]
        if not options:
            return [Say("utter_reg_no_slots"), SetSlots({"reg_slot": "none"})]
        return [OfferOptions(tuple(options[:SLOTS_MAX]))]

    async def change(self, context: ActionContext) -> Sequence[Event]:
        """Apply the change that was asked for."""
        receipt, field = text_of(context.slots.get("reg_receipt")), text_of(context.slots.get("reg_field"))
        if field == "slot":
            chosen = text_of(context.slots.get("reg_slot"))
            if chosen == "none":
                return []
            changes = Changes(slot_id=int(chosen))
        elif field == "phone":
            changes = Changes(phone=text_of(context.slots.get("reg_mobile")))
        else:
            changes = Changes(answers={field: text_of(context.slots.get("reg_value"))})
        outcome = await self._registrations.change(receipt, context.openid, changes, context.idempotency_key)
        return await self._changed(context, field, outcome)

    async def _changed(self, context: ActionContext, field: str, outcome: ChangeOutcome) -> Sequence[Event]:
        match outcome:
            case Changed():
                view = await self._registrations.find_by_receipt(outcome.receipt, context.openid)
                if field == "slot" and view is not None:
                    return [Say("utter_reg_changed_slot", {"receipt": outcome.receipt, "place": place_text(view)})]
                key = "utter_reg_changed_review" if outcome.review_again else "utter_reg_changed"
                return [Say(key, {"receipt": outcome.receipt})]
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
        yes_no = (Option("yes", "要", ("要得", "接受")), Option("no", "不要", ("不去", "放弃")))
        fields = {"place": place_text(offered), "until": moment_text(offered.offer_expires_at)}
        return [OfferOptions(yes_no, fields)]

    async def _offered(self, context: ActionContext) -> RegistrationView | None:
        views = await self._registrations.find_for(context.openid)
        return next((view for view in views if view.offer_expires_at is not None), None)

    async def answer_offer(self, context: ActionContext) -> Sequence[Event]:
        """Take the place, or let the next one have it."""
        receipt = text_of(context.slots.get("reg_receipt"))
        accept = context.slots.get("reg_accept") in (True, "yes")
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
            if view.missing and view.status in CHANGEABLE:
                programme = await self._programmes.get(view.programme_id)
                slots = {
                    "ws_receipt": view.receipt,
                    "programme_id": view.programme_id,
                    **self._materials.next_slots(programme, view.missing),
                }
                return [SetSlots(slots)]
        return [SetSlots(dict(NOTHING_MISSING)), Say("utter_materials_none")]

    async def _view(self, context: ActionContext) -> RegistrationView | None:
        receipt = text_of(context.slots.get("reg_receipt"))
        return await self._registrations.find_by_receipt(receipt, context.openid)


def place_text(view: RegistrationView) -> str:
    """Return where and when: ``6月20日（周六）8:30 松桃县妇幼保健院``; what is not known is left out."""
    when = f"{day_with_weekday(view.slot.day)}{time_text(view.slot.start)}" if view.slot else ""
    where = view.site.name if view.site else view.post.unit if view.post else ""
    return " ".join(part for part in (when, where) if part) or view.programme_title


def _detail(view: RegistrationView) -> str:
    if view.status is Status.WAITLISTED and view.offer_expires_at is not None:
        return f"，有名额了，请在{moment_text(view.offer_expires_at)}前回“确认候补”"
    if view.status is Status.WAITLISTED:
        return f"，第{view.waitlist_position}位"
    if view.status is Status.RETURNED and view.returned_until is not None:
        return f"，请在{moment_text(view.returned_until)}前说“补材料”"
    if view.status is Status.APPROVED and view.slot is not None:
        return f"，{place_text(view)}"
    return "，还有材料没交，可以说“补材料”" if view.missing else ""
