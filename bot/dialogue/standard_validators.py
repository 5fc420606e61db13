"""The table of validators over ``bot.values``; docs/flows.md lists them for authors of flows."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import TypeVar

from bot.dialogue.choices import find_options, match_label
from bot.dialogue.events import SlotValue
from bot.dialogue.validators import Find, Read, Request, Validator, ValidatorTable
from bot.values.answers import Answer, parse_answer
from bot.values.counties import County, find_counties, parse_county
from bot.values.credit_code import CreditCode, find_credit_codes, parse_credit_code
from bot.values.date_ranges import DateRange, MonthRange, parse_date_range, parse_month_range
from bot.values.dates import PartialDate, find_dates, parse_date, parse_partial_date
from bot.values.found import Found
from bot.values.identity import IdentityNumber, find_identity_numbers, parse_identity_number
from bot.values.money import CENTS_PER_YUAN, Money, find_money, parse_money
from bot.values.names import PersonName, find_names, parse_name
from bot.values.numerals import MAX_COUNT, Count, find_counts, parse_count, parse_decimal, parse_integer
from bot.values.options import parse_option, parse_options
from bot.values.phones import (
    Landline,
    Mobile,
    find_landlines,
    find_mobiles,
    parse_landline,
    parse_mobile,
    parse_phone,
)
from bot.values.problem import Problem
from bot.values.receipts import find_receipts, parse_receipt
from bot.values.texts import parse_free_text
from bot.values.times import find_times, parse_time

T = TypeVar("T")
MAX_TEXT_CHARS = 2_000
_FAR_DAYS = 200 * 365


def _reader(parse: Callable[[str, Request], T | Problem], store: Callable[[T], SlotValue]) -> Read:
    def read(text: str, request: Request) -> SlotValue | Problem:
        value = parse(text, request)
        return value if isinstance(value, Problem) else store(value)

    return read


def _finder(find: Callable[[str, Request], Iterable[Found[T]]], store: Callable[[T], SlotValue]) -> Find:
    def found(text: str, request: Request) -> Sequence[Found[SlotValue]]:
        return tuple(Found(store(hit.value), hit.start, hit.end) for hit in find(text, request))

    return found


def _read_text(text: str, request: Request) -> SlotValue | Problem:
    return parse_free_text(
        text, min_chars=request.limit("min_chars", 1), max_chars=request.limit("max_chars", MAX_TEXT_CHARS)
    )


# --- People and numbers --------------------------------------------------------------------------------------------


def _name(value: PersonName) -> SlotValue:
    return value.text


def _mask_name(value: SlotValue) -> str:
    return PersonName(value).masked() if isinstance(value, str) else ""


def _phone(value: Mobile | Landline) -> SlotValue:
    return value.text


def _read_phone(text: str, request: Request) -> SlotValue | Problem:  # noqa: ARG001 - the interface
    value = parse_phone(text)
    return value if isinstance(value, Problem) else value.text


def _find_phones(text: str) -> Sequence[Found[Mobile | Landline]]:
    mobiles: Sequence[Found[Mobile | Landline]] = find_mobiles(text)
    return mobiles or find_landlines(text)


def _parse_identity(text: str, request: Request) -> IdentityNumber | Problem:
    return parse_identity_number(text, request.today)


def _credit_code(value: CreditCode) -> SlotValue:
    return value.text


def _identity(value: IdentityNumber) -> SlotValue:
    return value.text


def _parse_count(text: str, request: Request) -> Count | Problem:
    return parse_count(text, minimum=request.limit("min", 1), maximum=request.limit("max", MAX_COUNT))


def _count(value: Count) -> SlotValue:
    return value.low


def _read_integer(text: str, request: Request) -> SlotValue | Problem:
    value = parse_integer(text)
    return value if isinstance(value, Problem) else _within(value, request)


def _read_decimal(text: str, request: Request) -> SlotValue | Problem:
    value = parse_decimal(text)
    return value if isinstance(value, Problem) else _within(float(value), request)


def _within(value: float, request: Request) -> SlotValue | Problem:
    limits = request.slot.limits
    if "min" in limits and value < limits["min"]:
        return Problem("number.too_small", {"minimum": int(limits["min"])})
    if "max" in limits and value > limits["max"]:
        return Problem("number.too_large", {"maximum": int(limits["max"])})
    return value


def _money(value: Money) -> SlotValue:
    return {"low_cents": value.low_cents, "high_cents": value.high_cents, "about": value.about}


def _show_money(value: SlotValue, today: date) -> str:  # noqa: ARG001 - the interface
    if not isinstance(value, dict):
        return ""
    low, high = (_yuan(value.get(end)) for end in ("low_cents", "high_cents"))
    about = "约" if value.get("about") else ""
    return f"{about}{low}元" if low == high else f"{about}{low}–{high}元"


def _yuan(cents: SlotValue) -> str:
    return f"{cents / CENTS_PER_YUAN:.2f}".removesuffix(".00") if isinstance(cents, int) else ""


# --- Days and hours ------------------------------------------------------------------------------------------------


def _sides(request: Request) -> tuple[bool, bool]:
    """Return whether the past and the future are allowed at all."""
    return request.limit("min_days", -_FAR_DAYS) < 0, request.limit("max_days", _FAR_DAYS) > 0


def _bounded(first: date, last: date, request: Request) -> Problem | None:
    earliest = request.today + timedelta(days=request.limit("min_days", -_FAR_DAYS))
    latest = request.today + timedelta(days=request.limit("max_days", _FAR_DAYS))
    if last < earliest:
        return Problem("date.too_early", {"earliest": _day(earliest)})
    if first > latest:
        return Problem("date.too_late", {"latest": _day(latest)})
    return None


def _read_date(text: str, request: Request) -> SlotValue | Problem:
    past, future = _sides(request)
    value = parse_date(text, today=request.today, past_allowed=past, future_allowed=future)
    if isinstance(value, Problem):
        return value
    return _bounded(value, value, request) or value.isoformat()


def _read_partial_date(text: str, request: Request) -> SlotValue | Problem:
    past, future = _sides(request)
    value = parse_partial_date(text, today=request.today, past_allowed=past, future_allowed=future)
    if isinstance(value, Problem):
        return value
    return _bounded(value.first_day, value.last_day, request) or str(value)


def _find_partial_dates(text: str, request: Request) -> Sequence[Found[PartialDate]]:
    past, future = _sides(request)
    found = find_dates(text, today=request.today, past_allowed=past, future_allowed=future)
    return tuple(hit for hit in found if _bounded(hit.value.first_day, hit.value.last_day, request) is None)


def _find_days(text: str, request: Request) -> Sequence[Found[PartialDate]]:
    return tuple(hit for hit in _find_partial_dates(text, request) if hit.value.day is not None)


def _read_date_range(text: str, request: Request) -> SlotValue | Problem:
    past, future = _sides(request)
    value = parse_date_range(text, today=request.today, past_allowed=past, future_allowed=future)
    if isinstance(value, Problem):
        return value
    return _bounded(value.first, value.last, request) or _date_range(value)


def _date_range(value: DateRange) -> SlotValue:
    return {"from": value.first.isoformat(), "to": value.last.isoformat()}


def _county(value: County) -> SlotValue:
    return value.value


def _show_county(value: SlotValue, today: date) -> str:  # noqa: ARG001 - the interface
    return County(value).short if isinstance(value, str) else ""


def _month_range(value: MonthRange) -> SlotValue:
    return {"from": str(value.first), "to": str(value.last)}


def _day(value: date) -> str:
    return f"{value.month}月{value.day}日"


def _show_date(value: SlotValue, today: date) -> str:
    parts = value.split("-") if isinstance(value, str) else []
    shown = "".join(f"{int(part)}{unit}" for part, unit in zip(parts, "年月日", strict=False))
    return shown.removeprefix(f"{today.year}年") or shown


def _show_date_range(value: SlotValue, today: date) -> str:
    ends = (_show_date(value.get(end), today) for end in ("from", "to")) if isinstance(value, dict) else ()
    return "–".join(ends)


# --- Choices -------------------------------------------------------------------------------------------------------


def _read_options(text: str, request: Request) -> SlotValue | Problem:
    if request.slot.type == "list":
        chosen = parse_options(text, request.options)
        return chosen if isinstance(chosen, Problem) else [option.value for option in chosen]
    option = parse_option(text, request.options)
    return option if isinstance(option, Problem) else _typed(option.value, request)


def _typed(value: str, request: Request) -> SlotValue:
    if request.slot.type in {"int", "float"}:
        number = parse_decimal(value)
        return value if isinstance(number, Problem) else int(number) if request.slot.type == "int" else float(number)
    return value == "true" if request.slot.type == "bool" else value


def _find_among_options(text: str, request: Request) -> Sequence[Found[SlotValue]]:
    return tuple(Found(_typed(hit.value, request), hit.start, hit.end) for hit in find_options(text, request.options))


def _read_yes_no(text: str, request: Request) -> SlotValue | Problem:
    option = match_label(request.words.readings(text), request.options, request.words) if request.options else None
    if option is not None:
        return option.value == "true"
    answer = parse_answer(text)
    return answer if isinstance(answer, Problem) else answer is Answer.YES


def _read_media(text: str, request: Request) -> SlotValue | Problem:  # noqa: ARG001 - a text is never a picture
    return Problem("media.expected")


def _read_anything(text: str, request: Request) -> SlotValue | Problem:  # noqa: ARG001 - nothing to look up
    return parse_free_text(text, max_chars=MAX_TEXT_CHARS)


def _without_request(function: Callable[[str], T]) -> Callable[[str, Request], T]:
    return lambda text, request: function(text)  # noqa: ARG005 - the interface


def standard_validators() -> ValidatorTable:
    """Return every validator that flows may name."""
    return {**_texts_and_people(), **_numbers(), **_days_and_hours(), **_choices_and_pictures()}


def _texts_and_people() -> ValidatorTable:
    return {
        "text": Validator(_read_text, sure=False, limits=frozenset({"min_chars", "max_chars"})),
        "any": Validator(_read_anything, sure=False),
        "person_name": Validator(
            _reader(_without_request(parse_name), _name),
            _finder(_without_request(find_names), _name),
            mask=_mask_name,
        ),
        "mobile": Validator(
            _reader(_without_request(parse_mobile), _phone), _finder(_without_request(find_mobiles), _phone)
        ),
        "landline": Validator(
            _reader(_without_request(parse_landline), _phone), _finder(_without_request(find_landlines), _phone)
        ),
        "phone": Validator(_read_phone, _finder(_without_request(_find_phones), _phone)),
        "identity_number": Validator(
            _reader(_parse_identity, _identity),
            _finder(lambda text, request: find_identity_numbers(text, request.today), _identity),
        ),
        "credit_code": Validator(
            _reader(_without_request(parse_credit_code), _credit_code),
            _finder(_without_request(find_credit_codes), _credit_code),
        ),
        "receipt": Validator(
            _reader(_without_request(parse_receipt), str), _finder(_without_request(find_receipts), str)
        ),
    }


def _numbers() -> ValidatorTable:
    bounds = frozenset({"min", "max"})
    return {
        "count": Validator(
            _reader(_parse_count, _count), _finder(_without_request(find_counts), _count), limits=bounds
        ),
        "integer": Validator(_read_integer, limits=bounds),
        "decimal": Validator(_read_decimal, limits=bounds),
        "money": Validator(
            _reader(_without_request(parse_money), _money),
            _finder(_without_request(find_money), _money),
            show=_show_money,
        ),
    }


def _days_and_hours() -> ValidatorTable:
    bounds = frozenset({"min_days", "max_days"})
    return {
        "date": Validator(_read_date, _finder(_find_days, str), show=_show_date, limits=bounds),
        "partial_date": Validator(
            _read_partial_date, _finder(_find_partial_dates, str), show=_show_date, limits=bounds
        ),
        "date_range": Validator(_read_date_range, show=_show_date_range, limits=bounds),
        "month_range": Validator(
            _reader(lambda text, request: parse_month_range(text, today=request.today), _month_range),
            show=_show_date_range,
        ),
        "time": Validator(
            _reader(_without_request(parse_time), lambda value: f"{value:%H:%M}"),
            _finder(_without_request(find_times), lambda value: f"{value:%H:%M}"),
        ),
    }


def _choices_and_pictures() -> ValidatorTable:
    return {
        "county": Validator(
            _reader(_without_request(parse_county), _county),
            _finder(_without_request(find_counties), _county),
            show=_show_county,
        ),
        "options": Validator(_read_options, _find_among_options),
        "yes_no": Validator(_read_yes_no),
        "media": Validator(_read_media, limits=frozenset({"max_items"})),
    }
