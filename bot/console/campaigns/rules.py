"""Messages that go out by themselves: the rules that staff edit."""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from bot.campaigns.automatic_rules import LATEST_MINUTE, Rule, RuleKind
from bot.campaigns.content import CHOICES_MAX, MenuChoice
from bot.campaigns.standard import standard_texts
from bot.console.campaigns.form import choice_lines, read_choices
from bot.console.campaigns.parts import EDIT, READ, CampaignParts
from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.values.problem import Problem

RULE: Final = "/campaigns/rules/{rule:[0-9]{1,9}}"
BODY_MAX_CHARS: Final = 600


class CampaignRulePages:
    """The rules, one form for new ones and changes."""

    def __init__(self, parts: CampaignParts) -> None:
        self._parts = parts

    @property
    def nav(self) -> tuple[NavItem, ...]:
        """Return the entry of the menu."""
        return (NavItem("自动消息", "/campaigns/rules", READ, "群发"),)

    def routes(self) -> tuple[Route, ...]:
        """Return the addresses."""
        return (
            Route("GET", "/campaigns/rules", self.list, READ),
            Route("GET", "/campaigns/rules/new", self.new, EDIT),
            Route("POST", "/campaigns/rules/new", self.save, EDIT),
            Route("GET", RULE, self.edit, EDIT),
            Route("POST", RULE, self.save, EDIT),
        )

    async def tiles(self, visit: Visit) -> tuple[Tile, ...]:  # noqa: ARG002 - Nothing waits here.
        """Return nothing."""
        return ()

    async def list(self, visit: Visit) -> web.StreamResponse:
        """List the rules."""
        rules = await self._parts.desk.automatic.rules.all()
        titles = await self._parts.titles([rule.programme_id for rule in rules])
        return visit.page("campaigns/rules.html", rules=rules, titles=titles)

    async def new(self, visit: Visit) -> web.StreamResponse:
        """Ask for a rule."""
        return await self._page(visit, None)

    async def edit(self, visit: Visit) -> web.StreamResponse:
        """Show a rule in its form."""
        return await self._page(visit, await self._rule(visit))

    async def save(self, visit: Visit) -> web.StreamResponse:
        """Store a rule, a new one or a changed one."""
        is_old = "rule" in visit.request.match_info
        stored = await self._rule(visit) if is_old else None
        form = await visit.form()
        kind = form.option("kind", "时机", [one.value for one in RuleKind])
        programme = form.option("programme_id", "活动", await self._titles(stored), required=False)
        days = form.number("days", "天数", least=0, most=60)
        at = form.time("at", "几点发")
        body = form.text("body", "内容", max_chars=BODY_MAX_CHARS)
        template_id = form.text("template_id", "模板编号", max_chars=100, required=False)
        choices = read_choices(form) if form.has("choices") else None
        if choices is not None and len(choices) > CHOICES_MAX:
            form.note("choices", Problem("campaign.choices_too_many", {"max": CHOICES_MAX}))
        if at is not None and at.hour * 60 + at.minute >= LATEST_MINUTE:
            form.note("at", Problem("campaign.rule_too_late", {"latest": f"{LATEST_MINUTE // 60}:00"}))
        if form.problems or days is None or at is None:
            return await self._page(visit, stored, form)
        rule = Rule(
            kind=RuleKind(kind),
            body=body,
            days=days,
            at_minute=at.hour * 60 + at.minute,
            programme_id=programme,
            template_id=template_id,
            is_on=form.flag("is_on"),
            choices=choices,
            id=0 if stored is None else stored.id,
        )
        await self._parts.desk.automatic.rules.save(rule, by=visit.viewer.username, source=visit.source)
        return visit.to("/campaigns/rules", "campaign.rule_saved")

    async def _rule(self, visit: Visit) -> Rule:
        wanted = int(visit.path("rule"))
        found = next((rule for rule in await self._parts.desk.automatic.rules.all() if rule.id == wanted), None)
        if found is None:
            raise NotFound
        return found

    async def _titles(self, rule: Rule | None) -> Mapping[str, str]:
        """Return the programmes to choose from; the one that the rule has stays among them."""
        return await self._parts.titles([] if rule is None else [rule.programme_id])

    async def _page(self, visit: Visit, rule: Rule | None, form: Form | None = None) -> web.Response:
        values: dict[str, Any] = {"rule": rule, "programmes": list((await self._titles(rule)).items())}
        values["at"] = "09:00" if rule is None else f"{rule.at_minute // 60:02}:{rule.at_minute % 60:02}"
        values["choices"] = choice_lines(_standard_choices() if rule is None else rule.choices or ())
        values["is_on"] = form.flag("is_on") if form is not None else rule is None or rule.is_on
        if form is not None:
            values |= {"problems": form.problems, "typed": form.typed()}
        return visit.page("campaigns/rule.html", status=200 if form is None else 422, **values)


def _standard_choices() -> tuple[MenuChoice, ...]:
    return standard_texts()[RuleKind.APPOINTMENT.value].choices
