"""What was said before its turn: further wishes of a message, answers in the words that began a form.

Also the likely meanings of an answer that could not be taken as it was, and an answer inside a question of one's own.
"""

from dataclasses import replace
from typing import Final

from bot.dialogue import pattern_texts
from bot.dialogue.answers import label_of, shares, tools
from bot.dialogue.catalog import Slot
from bot.dialogue.choices import find_options
from bot.dialogue.events import OfferOptions, Option
from bot.dialogue.models import Candidate, Pending
from bot.dialogue.payloads import INTENT_PAYLOAD, WORD_PAYLOAD
from bot.dialogue.work import Work
from bot.values.found import only_value
from bot.values.problem import Problem

CLOSED_KINDS: Final = frozenset({"county", "options"})
"""Kinds of value of which there are a few, so that a mention of one says something."""


def offer_next(work: Work) -> None:
    """Offer the next wish, now that nothing is open; it is forgotten unless the worker takes it up."""
    if work.silenced or work.pending is not None:
        return
    while work.later:
        wish = work.later.pop(0)
        flow_id = work.catalog.flow_by_intent.get(wish.intent)
        if flow_id is None:
            continue
        label = work.text_of(f"intent.{wish.intent}") or work.catalog.flows[flow_id].name
        option = Option(f"{INTENT_PAYLOAD}{wish.intent}", label, next_flow=flow_id)
        work.say(pattern_texts.LATER, {"wish": wish.text}, (option,))
        work.pending = Pending("later", flow_id, wish.text, wish.intent)
        work.note("offered the next wish", wish.intent)
        return


def said_at_first(work: Work, slot_name: str) -> Candidate | None:
    """Return the answer to a question that the words which began the form already hold.

    Each question is looked for once. Names are left out: who tells theirs may be registering somebody else.
    """
    opening, slot = work.opening, work.catalog.slots[slot_name]
    if opening is None or slot_name in opening.tried or not work.frames or not work.is_form():
        return None
    work.opening = replace(opening, tried=(*opening.tried, slot_name))
    collected = [work.catalog.slots[name] for name in work.catalog.collects[work.service.id]]
    if slot.also_fill != "yes" or slot.validator == "person_name" or shares(slot, collected):
        return None
    validator, request = tools(work, slot, is_open=False)
    value = only_value(tuple(validator.find(opening.text, request)))
    return None if value is None else Candidate(slot_name, value, "also", label_of(slot, (), value))


def said_in_answer(work: Work, slot_name: str, offer: OfferOptions | None) -> Candidate | None:
    """Return the choice of the next question that the answer to the one before names too: 妇幼 in 松桃 妇幼.

    Only of questions whose choices an action offers: those of the others are looked for when the answer is read.
    """
    slot = work.catalog.slots[slot_name]
    if (
        offer is None
        or not work.answer
        or slot_name == work.asking
        or work.revisit is not None
        or slot.type in {"list", "bool"}
    ):
        return None
    value = only_value(find_options(work.answer, offer.options))
    return None if value is None else Candidate(slot_name, value, "also", label_of(slot, offer.options, value))


def suggested(work: Work, slot_name: str, offer: OfferOptions | None) -> tuple[Option, ...]:
    """Return what was probably meant by the answer that was not taken, as choices; a single one takes a yes too."""
    texts, work.suggestions = work.suggestions, ()
    slot = work.catalog.slots[slot_name]
    shown = {option.label for option in (offer.options if offer is not None else slot.options)}
    validator, request = tools(work, slot, is_open=False)
    readable = [
        text for text in texts if text not in shown and not isinstance(validator.read(text, request), Problem)
    ]
    aliases = work.catalog.words.lists.get("affirm", ()) if len(readable) == 1 else ()
    return tuple(Option(f"{WORD_PAYLOAD}{text}", text, aliases) for text in readable)


def meant_by(work: Work, slot: Slot, text: str) -> str:
    """Return the words of ``text``, which asks for something else, that would answer the question of ``slot`` too.

    That is 松桃 in 松桃有没得点; ``""`` unless it is the one county or the one choice of the question in it.
    """
    if slot.validator not in CLOSED_KINDS or slot.type in {"list", "bool"}:
        return ""
    validator, request = tools(work, slot)
    value = only_value(tuple(validator.find(text, request)))
    if value is None:
        return ""
    words = label_of(slot, work.choices, value) or work.shown(slot.name, value)
    return words if validator.read(words, request) == value else ""


def meant_before(work: Work, slot_name: str) -> str:
    """Return what the message put on top of the question of ``slot_name`` said for it; an old answer goes first."""
    aside = work.aside
    is_new = aside is not None and aside.slot == slot_name and work.revisit is None
    return aside.meant if aside is not None and is_new else ""


def answered_by_yes(work: Work, options: tuple[Option, ...], words: str) -> tuple[Option, ...]:
    """Return ``options`` with the one called ``words``, which a yes chooses as well; it is put first if it is new."""
    yes = work.catalog.words.lists.get("affirm", ())
    if all(option.label != words for option in options):
        return (Option(f"{WORD_PAYLOAD}{words}", words, yes), *options)
    return tuple(
        replace(option, aliases=(*option.aliases, *yes)) if option.label == words else option for option in options
    )
