"""The responses that the engine says by itself, with the fields it gives them.

Their texts are in ``flows/patterns.yml``. Choices of a pattern are buttons of its response with a payload
``/choice:<value>``; which values a pattern understands is listed in ``CHOICES``.
"""

from collections.abc import Mapping
from typing import Final

CONTINUE: Final = "utter_pattern_continue"
BACK_TO: Final = "utter_pattern_back_to"
ASKED_LATER: Final = "utter_pattern_asked_later"
NOTED: Final = "utter_pattern_noted"
CORRECTED: Final = "utter_pattern_corrected"
WHICH_FIELD: Final = "utter_pattern_which_field"
OLD_VALUE: Final = "utter_pattern_old_value"
CONFIRM_VALUE: Final = "utter_pattern_confirm_value"
MEANT: Final = "utter_pattern_meant"
NOTHING_BEFORE: Final = "utter_pattern_nothing_before"
CANNOT_SKIP: Final = "utter_pattern_cannot_skip"
OPTIONAL: Final = "utter_pattern_optional"
CANCEL_CONFIRM: Final = "utter_pattern_cancel_confirm"
CANCELLED: Final = "utter_pattern_cancelled"
DRAFT_KEPT: Final = "utter_pattern_draft_kept"
DRAFT_WAITING: Final = "utter_pattern_draft_waiting"
RESUME: Final = "utter_pattern_resume"
SWITCH: Final = "utter_pattern_switch"
RESTART: Final = "utter_pattern_restart"
ALREADY_HERE: Final = "utter_pattern_already_here"
UNAVAILABLE: Final = "utter_pattern_unavailable"
CLARIFY: Final = "utter_pattern_clarify"
MAYBE_OUTSIDE: Final = "utter_pattern_maybe_outside"
LATER: Final = "utter_pattern_later"
CANNOT_HANDLE: Final = "utter_pattern_cannot_handle"
CANNOT_HANDLE_AGAIN: Final = "utter_pattern_cannot_handle_again"
REJECTED_OFTEN: Final = "utter_pattern_rejected_often"
PERSON: Final = "utter_pattern_person"
HELP: Final = "utter_pattern_help"
MENU: Final = "utter_pattern_menu"
WHY_UNKNOWN: Final = "utter_pattern_why_unknown"
WHY: Final = "utter_pattern_why"
REVIEW: Final = "utter_pattern_review"
COMPLETED: Final = "utter_pattern_completed"
NOTHING_OPEN: Final = "utter_pattern_nothing_open"
PICTURE: Final = "utter_pattern_picture"
PICTURE_MORE: Final = "utter_pattern_picture_more"
UPDATED: Final = "utter_pattern_updated"
FLOW_GONE: Final = "utter_pattern_flow_gone"
YES_NO: Final = "utter_pattern_yes_no"

VALUE_YES: Final = "value.yes"
VALUE_NO: Final = "value.no"
VALUE_FILLED: Final = "value.filled"
VALUE_EMPTY: Final = "value.empty"

FIELDS: Mapping[str, frozenset[str]] = {
    CONTINUE: frozenset(),
    BACK_TO: frozenset(),
    ASKED_LATER: frozenset({"label"}),
    NOTED: frozenset({"values"}),
    CORRECTED: frozenset({"label", "value"}),
    WHICH_FIELD: frozenset(),
    OLD_VALUE: frozenset({"old", "label"}),
    CONFIRM_VALUE: frozenset({"old", "label"}),
    MEANT: frozenset({"value"}),
    NOTHING_BEFORE: frozenset(),
    CANNOT_SKIP: frozenset({"label"}),
    OPTIONAL: frozenset(),
    CANCEL_CONFIRM: frozenset({"flow", "count"}),
    CANCELLED: frozenset({"flow"}),
    DRAFT_KEPT: frozenset({"flow", "days"}),
    DRAFT_WAITING: frozenset({"flow"}),
    RESUME: frozenset({"flow", "position"}),
    SWITCH: frozenset({"flow", "other"}),
    RESTART: frozenset({"flow", "count"}),
    ALREADY_HERE: frozenset({"flow"}),
    UNAVAILABLE: frozenset({"flow"}),
    CLARIFY: frozenset(),
    MAYBE_OUTSIDE: frozenset(),
    LATER: frozenset({"wish"}),
    CANNOT_HANDLE: frozenset(),
    CANNOT_HANDLE_AGAIN: frozenset(),
    REJECTED_OFTEN: frozenset(),
    PERSON: frozenset(),
    HELP: frozenset(),
    MENU: frozenset(),
    WHY: frozenset({"label", "help"}),
    WHY_UNKNOWN: frozenset({"label"}),
    REVIEW: frozenset(),
    COMPLETED: frozenset(),
    NOTHING_OPEN: frozenset(),
    PICTURE: frozenset(),
    PICTURE_MORE: frozenset({"count"}),
    UPDATED: frozenset({"flow"}),
    FLOW_GONE: frozenset(),
    YES_NO: frozenset(),
    VALUE_YES: frozenset(),
    VALUE_NO: frozenset(),
    VALUE_FILLED: frozenset(),
    VALUE_EMPTY: frozenset(),
}
"""Every response a catalogue must have besides those of its flows, with the placeholders it may use."""

KEEP: Final = "keep"
DROP: Final = "drop"
GO_ON: Final = "go_on"
ANEW: Final = "anew"

CHOICES: Mapping[str, frozenset[str]] = {
    CANCEL_CONFIRM: frozenset({KEEP, DROP, GO_ON}),
    RESUME: frozenset({GO_ON, ANEW, DROP}),
    SWITCH: frozenset({KEEP, DROP, GO_ON}),
    RESTART: frozenset({GO_ON, ANEW}),
    LATER: frozenset({DROP}),
    OLD_VALUE: frozenset({KEEP}),
    CONFIRM_VALUE: frozenset({KEEP}),
}
"""The choices that a pattern must offer as buttons."""

PROBLEMS: Mapping[str, frozenset[str]] = {
    "text.is_number": frozenset({"label"}),
    "media.expected": frozenset(),
    "number.too_small": frozenset({"minimum"}),
    "number.too_large": frozenset({"maximum"}),
    "date.too_early": frozenset({"earliest"}),
    "date.too_late": frozenset({"latest"}),
}
"""Problems that the validators of this package find, besides those of ``bot.values``."""
