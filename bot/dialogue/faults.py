"""Faults of flow files, collected instead of raised, and a typed reader of YAML mappings that collects them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Raw = object
"""Something that YAML gave and nobody has looked at yet."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in a flow file; ``str()`` is ``file: path: problem``."""

    file: str
    path: str
    problem: str
    level: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        warning = "warning: " if self.level == "warning" else ""
        return f"{self.file}: {self.path}: {warning}{self.problem}"


class Faults:
    """The faults found so far, in the order in which they were found."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(self, file: str, path: str, problem: str) -> None:
        """Note an error."""
        self._found.append(Fault(file, path, problem))

    def warn(self, file: str, path: str, problem: str) -> None:
        """Note something that works but should be better."""
        self._found.append(Fault(file, path, problem, "warning"))

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._found)

    def errors(self) -> list[Fault]:
        """Return the faults that make the flows unusable."""
        return [fault for fault in self._found if fault.level == "error"]


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """Return ``no <kind> '<name>'``, with the nearest known name if one is near."""
    near = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"no {kind} '{name}'{hint}"


class Section:
    """A YAML mapping at ``path`` of ``file``; what does not have the expected type is a fault and reads as absent."""

    def __init__(self, faults: Faults, file: str, path: str, raw: Raw) -> None:
        self.faults = faults
        self.file = file
        self.path = path
        self.raw: Mapping[str, Raw] = {}
        if isinstance(raw, dict):
            self.raw = {str(key): value for key, value in raw.items()}
        elif raw is not None:
            self.fault("", f"expected a mapping, found {_kind(raw)}")

    def at(self, key: str) -> str:
        """Return the path of ``key`` below this section."""
        return f"{self.path}.{key}" if key and self.path else key or self.path

    def fault(self, key: str, problem: str) -> None:
        """Note an error at ``key`` (``""``: the section itself)."""
        self.faults.add(self.file, self.at(key), problem)

    def warn(self, key: str, problem: str) -> None:
        """Note a warning at ``key``."""
        self.faults.warn(self.file, self.at(key), problem)

    def expect_keys(self, known: Iterable[str]) -> None:
        """Note every key that is not among ``known``."""
        names = tuple(known)
        for key in self.raw:
            if key not in names:
                self.fault(key, unknown("key", key, names))

    def text(self, key: str, default: str = "") -> str:
        """Return a text."""
        value = self.raw.get(key)
        if value is None:
            return default
        if not isinstance(value, str):
            self.fault(key, f"expected a text, found {_kind(value)}")
            return default
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return a truth value."""
        value = self.raw.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fault(key, f"expected true or false, found {_kind(value)}")
            return default
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts; one text alone counts as a list of one."""
        value = self.raw.get(key)
        if value is None:
            return ()
        items = value if isinstance(value, list) else [value]
        found = []
        for index, item in enumerate(items):
            if isinstance(item, str):
                found.append(item)
            else:
                self.fault(f"{key}[{index}]", f"expected a text, found {_kind(item)}; write it in quotes")
        return tuple(found)

    def items(self, key: str) -> list[Raw]:
        """Return a list, empty when absent."""
        value = self.raw.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(key, f"expected a list, found {_kind(value)}")
            return []
        return list(value)

    def sections(self, key: str) -> list["Section"]:
        """Return a list of mappings."""
        return [self.below(f"{key}[{index}]", item) for index, item in enumerate(self.items(key))]

    def below(self, key: str, raw: Raw) -> "Section":
        """Return ``raw`` as a section of its own under ``key``."""
        return Section(self.faults, self.file, self.at(key), raw)


def _kind(raw: Raw) -> str:
    names = {
        bool: "a truth value",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "a mapping",
    }
    return names.get(type(raw), "nothing" if raw is None else f"a {type(raw).__name__}")
