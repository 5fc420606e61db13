"""Reading the sections of a programme's form: a changed programme, and a problem beside each field that is wrong."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from bot.console.forms import Form
from bot.console.programmes.words import Fact
from bot.programmes.models import (
    Choice,
    Condition,
    ConsentText,
    MaterialRule,
    PriorityRule,
    Programme,
    Retention,
    ReviewMode,
)
from bot.programmes.readiness import Section
from bot.programmes.rules import faults
from bot.values.counties import County
from bot.values.identity import Sex
from bot.values.problem import Problem

TEXT_MAX_CHARS: Final = 600
LABEL_MAX_CHARS: Final = 60
ROWS_MAX: Final = 60
DAYS_MAX: Final = 3_650
STAGES: Final = ("apply", "placed")
CONSENTS: Final = ("general", "sensitive", "third_party", "guardian")
CHOICE_GROUPS: Final = ("items",)

FAULT_FIELDS: Final[Mapping[str, str]] = {
    "window.ends_before_start": "close_at",
    "service.ends_before_start": "service_end",
    "age.limits_crossed": "age_max",
    "quota.slots_decide": "quota_total",
    "quota.negative": "quota_total",
    "hours.negative": "waitlist_hold_hours",
    "material.code_twice": "m0_label",
    "consent.code_twice": "c0_code",
}
"""The field that each contradiction stands beside."""


def read_section(form: Form, section: Section, programme: Programme, facts: Sequence[Fact]) -> Programme:
    """Return ``programme`` with what the form of ``section`` says; what is wrong stands in ``form.problems``."""
    if section is Section.MATERIALS:
        changed = _materials(form, programme, facts)
    elif section is Section.CONSENTS:
        changed = _consents(form, programme, facts)
    elif section is Section.PEOPLE:
        changed = _people(form, programme, facts)
    else:
        changed = _READERS[section](form, programme)
    for fault in faults(changed):
        form.note(FAULT_FIELDS[fault], Problem(f"programme.fault.{fault}"))
    return changed


def _basics(form: Form, programme: Programme) -> Programme:
    return replace(
        programme,
        title=form.text("title", "名称", max_chars=LABEL_MAX_CHARS),
        open_at=form.moment("open_at", "报名开始") or programme.open_at,
        close_at=form.moment("close_at", "报名截止") or programme.close_at,
        service_start=form.day("service_start", "服务开始") or programme.service_start,
        service_end=form.day("service_end", "服务结束") or programme.service_end,
        counties=tuple(form.options("counties", "区县", [county.code for county in County])),
        review_mode=ReviewMode(form.option("review_mode", "谁来确认", set(ReviewMode)) or programme.review_mode),
    )


def _places(form: Form, programme: Programme) -> Programme:
    quotas = {
        county.code: form.number(f"quota_{county.code}", county.short, least=0, most=100_000, required=False)
        for county in County
    }
    return replace(
        programme,
        quota_total=form.number("quota_total", "总名额", least=0, most=1_000_000, required=False),
        quota_by_county={code: count for code, count in quotas.items() if count is not None},
        applications_per_place=_decimal(form, "applications_per_place", "每个名额最多几人报名"),
        waitlist_size=form.number("waitlist_size", "候补人数", least=0, most=100_000) or 0,
        waitlist_hold_hours=form.number("waitlist_hold_hours", "递补保留", least=1, most=720) or 1,
        slot_hold_minutes=form.number("slot_hold_minutes", "填写时占位", least=1, most=240) or 1,
        cancel_deadline_hours=form.number("cancel_deadline_hours", "自行改期的期限", least=0, most=720) or 0,
        no_show_limit=form.number("no_show_limit", "未到次数", least=1, most=20, required=False),
    )


def _people(form: Form, programme: Programme, facts: Sequence[Fact]) -> Programme:
    sex = form.option("sex", "性别", set(Sex), required=False)
    rules = []
    for row in rows_of(form, "p"):
        label = form.text(f"{row}_label", "优先条件", max_chars=LABEL_MAX_CHARS, required=False)
        if label:
            points = form.number(f"{row}_points", "加几分", least=1, most=1_000)
            rules.append(PriorityRule(label, points or 0, read_condition(form, row, facts)))
    return replace(
        programme,
        age_min=form.number("age_min", "最小年龄", least=0, most=120, required=False),
        age_max=form.number("age_max", "最大年龄", least=0, most=120, required=False),
        age_base_date=form.day("age_base_date", "年龄算到哪天", required=False),
        sex=Sex(sex) if sex else None,
        repeat_interval_months=form.number("repeat_interval_months", "间隔", least=1, most=240, required=False),
        priority_rules=tuple(rules),
    )


def _materials(form: Form, programme: Programme, facts: Sequence[Fact]) -> Programme:
    known = {rule.code for rule in programme.required_materials}
    materials = []
    for row in rows_of(form, "m"):
        label = form.text(f"{row}_label", "材料名称", max_chars=LABEL_MAX_CHARS, required=False)
        if label:
            stage = form.option(f"{row}_stage", "什么时候交", STAGES, required=False) or STAGES[0]
            code = _code(form.raw(f"{row}_code"), "file", known)
            materials.append(MaterialRule(code, label, read_condition(form, row, facts), stage))
    return replace(
        programme,
        required_materials=tuple(materials),
        materials_max=form.number("materials_max", "最多几个文件", least=1, most=100) or 1,
    )


def _consents(form: Form, programme: Programme, facts: Sequence[Fact]) -> Programme:
    consents = []
    for row in rows_of(form, "c"):
        text = form.text(f"{row}_text", "告知内容", max_chars=TEXT_MAX_CHARS, required=False)
        if not text:
            continue
        code = form.option(f"{row}_code", "哪一项同意", {*CONSENTS, *(one.code for one in programme.consents)})
        version = form.text(f"{row}_version", "版本号", max_chars=24)
        named = tuple(filter(None, (line.strip() for line in form.raw(f"{row}_recipients").splitlines())))
        consents.append(ConsentText(code, version, text, read_condition(form, row, facts), named))
    return replace(programme, consents=tuple(consents))


def _choices(form: Form, programme: Programme) -> Programme:
    choices: dict[str, tuple[Choice, ...]] = dict(programme.choices)
    for group in CHOICE_GROUPS:
        known = {choice.code for choice in programme.choices.get(group, ())}
        found = []
        for row in rows_of(form, group):
            label = form.text(f"{row}_label", "选项", max_chars=LABEL_MAX_CHARS, required=False)
            if label:
                found.append(Choice(_code(form.raw(f"{row}_code"), "item", known), label))
        choices[group] = tuple(found)
    return replace(programme, choices={name: group for name, group in choices.items() if group})


def _texts(form: Form, programme: Programme) -> Programme:
    def text(name: str, label: str) -> str:
        return form.text(name, label, max_chars=TEXT_MAX_CHARS, required=False)

    return replace(
        programme,
        contact=text("contact", "联系方式"),
        notice_text=text("notice_text", "开头说明"),
        elsewhere_text=text("elsewhere_text", "其他途径"),
        stipend_text=text("stipend_text", "补贴"),
        insurance_text=text("insurance_text", "保险"),
    )


def _retention(form: Form, programme: Programme) -> Programme:
    def days(name: str, label: str, present: int) -> int:
        return form.number(name, label, least=1, most=DAYS_MAX) or present

    kept = programme.retention
    return replace(
        programme,
        retention=Retention(
            draft_days=days("draft_days", "没填完的", kept.draft_days),
            rejected_days=days("rejected_days", "没通过的", kept.rejected_days),
            completed_days=days("completed_days", "办完的", kept.completed_days),
            materials_days=days("materials_days", "材料", kept.materials_days),
            health_days=days("health_days", "健康服务", kept.health_days),
        ),
    )


_READERS: Final[Mapping[Section, Callable[[Form, Programme], Programme]]] = {
    Section.BASICS: _basics,
    Section.PLACES: _places,
    Section.CHOICES: _choices,
    Section.TEXTS: _texts,
    Section.RETENTION: _retention,
}


def rows_of(form: Form, prefix: str) -> list[str]:
    """Return the names of the rows that were sent: ``m0``, ``m1`` …"""
    return [f"{prefix}{number}" for number in range(ROWS_MAX) if form.has(f"{prefix}{number}_row")]


def read_condition(form: Form, row: str, facts: Sequence[Fact]) -> Condition:
    """Return what was ticked under a row: for each fact its values, nothing for a fact that does not matter."""
    ticked = {
        fact.name: tuple(form.options(f"{row}_when_{fact.name}", fact.label, [value for value, _ in fact.values]))
        for fact in facts
    }
    return {name: values for name, values in ticked.items() if values}


def _decimal(form: Form, name: str, label: str) -> float | None:
    text = form.text(name, label, required=False)
    if not text:
        return None
    if not re.fullmatch(r"\d{1,4}(?:\.\d)?", text, re.ASCII) or not float(text) >= 1:
        form.note(name, Problem("form.not_a_number", {"label": label}))
        return None
    return float(text)


def _code(given: str, stem: str, known: set[str]) -> str:
    """Return the code that a row had, or a new one that no row has; ``known`` learns it."""
    if given and given in known:
        return given
    code = next(f"{stem}_{number}" for number in range(1, ROWS_MAX * 2) if f"{stem}_{number}" not in known)
    known.add(code)
    return code
