"""How a registration stands, in the words of ``flows/registrations.yml``."""

from collections.abc import Mapping

from actions.wording import day_with_weekday, moment_text, time_text
from bot.dialogue.events import Say
from bot.legal.models import CaseStatus
from bot.registrations.reasons import ReasonTable
from bot.registrations.statuses import Status
from bot.registrations.views import RegistrationView
from bot.values.problem import FieldValue

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

CASE_LABELS: Mapping[CaseStatus, str] = {
    CaseStatus.PENDING: "排队等律师",
    CaseStatus.ASSIGNED: "已交给律师",
    CaseStatus.CONTACTED: "律师已联系",
    CaseStatus.ANSWERING: "律师在办",
    CaseStatus.RETURNED: "要补证据或情况",
    CaseStatus.COMPLETED: "已办结",
    CaseStatus.FOLLOWED_UP: "已办结",
    CaseStatus.CANCELLED: "已取消",
}


def case_label(status: CaseStatus) -> str:
    """Return the status of a consultation as workers read it."""
    return CASE_LABELS[status]


def status_label(status: Status) -> str:
    """Return the status as workers read it."""
    return STATUS_LABELS[status]


def place_text(view: RegistrationView) -> str:
    """Return where and when: ``6月20日（周六）8:30 松桃县妇幼保健院``; what is not known is left out."""
    when = f"{day_with_weekday(view.slot.day)}{time_text(view.slot.start)}" if view.slot else ""
    where = view.site.name if view.site else view.post.unit if view.post else ""
    return " ".join(part for part in (when, where) if part) or view.programme_title


def standing(view: RegistrationView, reasons: ReasonTable) -> Say:
    """Return what to say of a registration: how it stands, and what its owner can do about it."""
    fields: dict[str, FieldValue] = {
        "title": view.programme_title,
        "receipt": view.receipt,
        "name": view.name_masked,
        "status": status_label(view.status),
    }
    match view.status:
        case Status.WAITLISTED if view.offer_expires_at is not None:
            return Say("utter_status_offered", {**fields, "until": moment_text(view.offer_expires_at)})
        case Status.WAITLISTED:
            return Say("utter_status_waiting", {**fields, "position": view.waitlist_position or 0})
        case Status.RETURNED if view.returned_until is not None:
            wanted = {
                "until": moment_text(view.returned_until),
                "reason": reasons.text(view.last_reason or ""),
                "items": f"（{'、'.join(view.returned_labels)}）" if view.returned_labels else "",
            }
            return Say("utter_status_returned", {**fields, **wanted})
        case Status.REJECTED if view.last_reason:
            return Say("utter_status_rejected", {**fields, "reason": reasons.text(view.last_reason)})
        case Status.APPROVED:
            return Say("utter_status_placed", {**fields, "place": place_text(view)})
        case _ if view.missing:
            return Say("utter_status_missing", fields)
        case _:
            return Say("utter_status_line", fields)
