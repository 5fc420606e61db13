"""Which models there are, which one serves, and what happened to each: the folder of archives and its history.

``current`` names the archive that serves. ``history.jsonl`` beside it gets a line for every promotion, rollback and
refusal; ``<name>.json`` holds what the evaluation said of a model. Standard library only, beside ``bot/values``: the
main environment reads it as well.
"""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from bot.values.errors import BotError
from nlu.fingerprint import current_model, point_to

SUFFIX = ".tar.gz"
HISTORY = "history.jsonl"
KEPT_MODELS = 5
NOT_PROMOTED = 5
"""The exit code of a training whose model does not serve."""

What = Literal["promoted", "rolled back", "refused"]


class NoSuchModel(BotError):
    """``model`` is not in the folder, or what was asked for stands nowhere in the history."""

    code: ClassVar[str] = "nlu.no_such_model"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history: ``model`` is what serves since (or was refused), ``before`` what served until then.

    ``forced`` is the reason that somebody gave for a promotion against the rule.
    """

    at: str
    what: What
    model: str
    before: str | None = None
    forced: str | None = None
    objections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """A model of the folder: ``word`` is the last thing that happened to it, ``report`` what its evaluation said."""

    name: str
    trained_at: datetime
    serves: bool
    is_previous: bool
    word: Entry | None
    report: dict[str, Any] | None


class Registry:
    """The models of one folder. A reader of ``current`` sees the old name or the new one, never half of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def serving(self) -> Path | None:
        """Return the archive that ``current`` names, or None."""
        return current_model(self.folder)

    def previous(self) -> Path | None:
        """Return the archive that ``roll_back`` would make current, or None when there is none to go back to."""
        served, serving = self._served(), self.serving()
        if serving is not None and served and served[-1] == serving.name:
            served.pop()
        archive = self.folder / served[-1] if served else None
        return archive if archive is not None and archive.is_file() else None

    def promote(
        self, model: Path, at: datetime, *, forced: str | None = None, objections: tuple[str, ...] = ()
    ) -> None:
        """Make ``model`` the serving one and write it down. Raises NoSuchModel."""
        if not model.is_file():
            raise NoSuchModel(model=model.name)
        serving = self.serving()
        if serving == model:
            return
        point_to(model)
        before = serving.name if serving else None
        self._write(Entry(at.isoformat(timespec="seconds"), "promoted", model.name, before, forced, objections))

    def refuse(self, model: Path, at: datetime, objections: tuple[str, ...]) -> None:
        """Write down that ``model`` does not serve, and why."""
        serving = self.serving()
        before = serving.name if serving else None
        self._write(Entry(at.isoformat(timespec="seconds"), "refused", model.name, before, objections=objections))

    def roll_back(self, at: datetime) -> Path:
        """Make the model that was promoted before the serving one current, and return it. Raises NoSuchModel."""
        serving, previous = self.serving(), self.previous()
        if previous is None:
            raise NoSuchModel(problem="there is no earlier model to go back to")
        point_to(previous)
        before = serving.name if serving else None
        self._write(Entry(at.isoformat(timespec="seconds"), "rolled back", previous.name, before))
        return previous

    def find(self, name: str) -> Path:
        """Return the archive that ``name`` or its beginning means. Raises NoSuchModel."""
        found = [path for path in self._archives() if path.name.startswith(name.removesuffix(SUFFIX))]
        if len(found) != 1 or not name:
            raise NoSuchModel(model=name, problem="several models begin so" if found else "no model is called so")
        return found[0]

    def history(self) -> list[Entry]:
        """Return what happened, oldest first."""
        path = self.folder / HISTORY
        if not path.is_file():
            return []
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        return [Entry(**{**row, "objections": tuple(row["objections"])}) for row in rows]

    def is_set_aside(self, model: Path) -> bool:
        """Say whether people or the rule decided last that ``model`` does not serve."""
        word = self._word(model.name)
        return word is not None and (word.what == "refused" or word.model != model.name)

    def rolled_back_at(self, model: Path) -> str | None:
        """Return when people went back from ``model``, unless it was promoted again since."""
        for entry in reversed(self.history()):
            if entry.what == "rolled back" and entry.before == model.name:
                return entry.at
            if entry.what != "refused" and entry.model == model.name:
                return None
        return None

    def models(self) -> list[Known]:
        """Return every model of the folder, the newest first."""
        serving, previous = self.serving(), self.previous()
        return [
            Known(
                path.name.removesuffix(SUFFIX),
                datetime.fromtimestamp(path.stat().st_mtime).astimezone(),
                path == serving,
                path == previous,
                self._word(path.name),
                self.report(path),
            )
            for path in self._archives()
        ]

    def report(self, model: Path) -> dict[str, Any] | None:
        """Return what was written about ``model``, or None."""
        path = report_path(model)
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def write_report(self, model: Path, report: dict[str, Any]) -> None:
        """Keep ``report`` beside ``model``."""
        report_path(model).write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    def prune(self, *, keep: int = KEPT_MODELS) -> list[Path]:
        """Delete all but the newest ``keep`` models, never the serving or the previous one; return what went."""
        spared = {self.serving(), self.previous()}
        gone = [path for path in self._archives()[keep:] if path not in spared]
        for path in gone:
            path.unlink()
            report_path(path).unlink(missing_ok=True)
        return gone

    def _archives(self) -> list[Path]:
        archives = [path for path in self.folder.glob(f"*{SUFFIX}") if not path.name.endswith(f".part{SUFFIX}")]
        return sorted(archives, key=lambda path: path.stat().st_mtime, reverse=True)

    def _word(self, name: str) -> Entry | None:
        entries = reversed(self.history())
        return next(
            (one for one in entries if one.model == name or (one.what == "rolled back" and one.before == name)), None
        )

    def _served(self) -> list[str]:
        """Return the models that served one after another, as far as they were not rolled back."""
        served: list[str] = []
        for entry in self.history():
            if entry.what == "promoted":
                if entry.before is not None and served[-1:] != [entry.before]:
                    served.append(entry.before)
                served.append(entry.model)
            elif entry.what == "rolled back":
                while served and served[-1] != entry.model:
                    served.pop()
        return served

    def _write(self, entry: Entry) -> None:
        # One short write to a file opened for appending: a line is there as a whole or not at all.
        with (self.folder / HISTORY).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(entry), ensure_ascii=False) + "\n")


def report_path(model: Path) -> Path:
    """Return where the report of ``model`` stands."""
    return model.with_name(model.name.removesuffix(SUFFIX) + ".json")
