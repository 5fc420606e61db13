"""A programme's form, one section a page: what was typed is never lost, whoever else saved meanwhile."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from aiohttp import web

from bot.console.errors import NotFound
from bot.console.forms import Form
from bot.console.programmes.form import read_section
from bot.console.programmes.pages import EDIT, ONE, Facts, by_of
from bot.console.programmes.rows import rows
from bot.console.programmes.words import FIELDS
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.programmes.editing import ProgrammeEditor
from bot.programmes.errors import EditConflict
from bot.programmes.models import Programme, ProgrammeKind
from bot.programmes.readiness import Section
from bot.programmes.service import ProgrammeService
from bot.values.counties import County
from bot.values.problem import Problem

SECTION: Final = ONE + "/edit/{section:[a-z]+}"


class ProgrammeSections:
    """The sections that are forms; sites, slots and posts have pages of their own."""

    def __init__(
        self, programmes: ProgrammeService, editor: ProgrammeEditor, facts: dict[ProgrammeKind, Facts]
    ) -> None:
        self._programmes = programmes
        self._editor = editor
        self._facts = facts

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return no entry: these pages are behind a programme's."""
        return []

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [Route("GET", SECTION, self.edit, EDIT), Route("POST", SECTION, self.save, EDIT)]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - Every area is asked.
        """Return none."""
        return []

    async def edit(self, visit: Visit) -> web.StreamResponse:
        """Show the form of a section."""
        programme = await self._programmes.get(visit.path("programme"))
        return self._page(visit, programme, section_of(visit))

    async def save(self, visit: Visit) -> web.StreamResponse:
        """Store the section as a new version; a button for more rows only shows them."""
        section, form = section_of(visit), await visit.form()
        current = await self._programmes.get(visit.path("programme"))
        read = form.number("version", "版本", least=1, most=10**6) or current.version
        changed = read_section(form, section, replace(current, version=read), self._facts[current.kind])
        if form.has("more"):
            form.problems.clear()
        if form.problems or form.has("more"):
            return self._page(visit, replace(changed, version=read), section, form=form)
        try:
            outcome = await self._editor.save(changed, by_of(visit, form))
        except EditConflict as conflict:
            return self._page(visit, current, section, form=form, conflict=conflict)
        if isinstance(outcome, Problem):
            form.note("section", outcome)
            return self._page(visit, changed, section, form=form)
        return visit.to(f"/programmes/{current.id}", "programme.saved", version=outcome.version)

    def _page(
        self,
        visit: Visit,
        programme: Programme,
        section: Section,
        *,
        form: Form | None = None,
        conflict: EditConflict | None = None,
    ) -> web.Response:
        facts = self._facts[programme.kind]
        return visit.page(
            "programmes/edit.html",
            status=409 if conflict is not None else 422 if form is not None and form.problems else 200,
            programme=programme,
            section=section,
            facts=facts,
            rows=rows(programme, form, facts),
            county_options=[(county.code, county.short) for county in County],
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
            ticked=form.all("counties") if form is not None else programme.counties,
            conflict=conflict,
        )


def section_of(visit: Visit) -> Section:
    """Return the section of the address; raises NotFound for what is no form."""
    section = visit.path("section")
    if section not in {one.value for one in FIELDS}:
        raise NotFound
    return Section(section)
