"""What each line of a unit's list means, and everything that is wrong with it, by column."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time

from bot.programmes.models import Programme
from bot.programmes.snapshots import JsonValue
from bot.registrations.sheets import Cell, Line
from bot.registrations.unit_columns import CellReader, Column, Value, columns_for
from bot.values.counties import County
from bot.values.documents import Document
from bot.values.identity import Sex
from bot.values.problem import Problem


@dataclass(frozen=True, slots=True)
class SlotTable:
    """Where a programme's people can be sent: the open times by site and moment. Names and codes of sites count."""

    site_names: tuple[str, ...]
    sites: Mapping[str, int]
    slots: Mapping[tuple[int, date, time], int]

    def site(self, text: str) -> int | None:
        """Return the number of the site with that name or code."""
        return self.sites.get("".join(text.split()))


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in one column (its title)."""

    column: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Person:
    """A line that can be registered."""

    number: int
    name: str
    document: Document
    phone: str
    county: str
    slot_id: int | None
    answers: Mapping[str, JsonValue]

    @property
    def birth_date(self) -> date | None:
        return None if self.document.identity is None else self.document.identity.birth_date

    @property
    def sex(self) -> Sex | None:
        return None if self.document.identity is None else self.document.identity.sex

    @property
    def id_number(self) -> str:
        return self.document.text


@dataclass(frozen=True, slots=True)
class Faulty:
    """A line that cannot, with all its faults at once."""

    number: int
    faults: tuple[Fault, ...]


@dataclass
class LineChecks:
    """Reads line after line; it remembers who was there already in this list."""

    programme: Programme
    places: Mapping[str, int]
    reader: CellReader
    slots: SlotTable
    _seen: dict[str, int] = field(default_factory=dict)

    def check(self, line: Line) -> Person | Faulty:
        """Return who the line is about, or everything that is wrong with it."""
        values: dict[str, Value] = {}
        faults: list[Fault] = []
        columns = columns_for(self.programme.kind)
        document = self._cell(line, "document")
        for column in columns:
            cell = self._cell(line, column.code)
            if not cell.text:
                faults += [Fault(column.title, Problem("unit_list.empty"))] if column.needed else []
                continue
            value = self.reader.read(column.code, cell, document=document)
            if isinstance(value, Problem):
                faults.append(Fault(column.title, value))
            else:
                values[column.code] = value
        faults += self._place_faults(values)
        faults += self._twice(values, line.number)
        return Faulty(line.number, tuple(faults)) if faults else self._person(line.number, values, columns)

    def _cell(self, line: Line, code: str) -> Cell:
        place = self.places.get(code)
        return Cell() if place is None or place >= len(line.cells) else line.cells[place]

    def _place_faults(self, values: Mapping[str, Value]) -> list[Fault]:
        site, day, start = values.get("site"), values.get("day"), values.get("start")
        if not isinstance(site, str):
            return []
        site_id = self.slots.site(site)
        if site_id is None:
            return [Fault("点位", Problem("unit_list.no_such_site", {"sites": "、".join(self.slots.site_names)}))]
        if isinstance(day, date) and isinstance(start, time) and (site_id, day, start) not in self.slots.slots:
            times = sorted(at for (where, when, at) in self.slots.slots if (where, when) == (site_id, day))
            there = "、".join(f"{at:%H:%M}" for at in times)
            code = "unit_list.no_such_time" if times else "unit_list.no_such_day"
            return [Fault("开始时间" if times else "日期", Problem(code, {"times": there}))]
        return []

    def _twice(self, values: Mapping[str, Value], number: int) -> list[Fault]:
        document = values.get("id_number")
        if not isinstance(document, Document):
            return []
        first = self._seen.setdefault(document.text, number)
        return [] if first == number else [Fault("证件号码", Problem("unit_list.twice", {"line": first}))]

    def _person(self, number: int, values: Mapping[str, Value], columns: Sequence[Column]) -> Person:
        document, county = values["id_number"], values["county"]
        assert isinstance(document, Document), "the reader of numbers gives documents"
        assert isinstance(county, County), "the reader of counties gives counties"
        own = {column.code for column in columns if "_" in column.code and column.code != "id_number"}
        answers: dict[str, JsonValue] = {
            code: value for code, value in values.items() if code in own and isinstance(value, str | list)
        }
        return Person(
            number, str(values["name"]), document, str(values["phone"]), county.code, self._slot_id(values), answers
        )

    def _slot_id(self, values: Mapping[str, Value]) -> int | None:
        site, day, start = values.get("site"), values.get("day"), values.get("start")
        if not isinstance(site, str) or not isinstance(day, date) or not isinstance(start, time):
            return None
        site_id = self.slots.site(site)
        return None if site_id is None else self.slots.slots[site_id, day, start]
