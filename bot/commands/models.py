"""``python -m bot nlu models|promote|rollback``: which trained models there are and which one serves."""

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from bot.values.clock import LOCAL_ZONE, Clock
from nlu.fingerprint import MODELS
from nlu.registry import SUFFIX, Known, Registry


def show(console: Console, folder: Path = MODELS) -> int:
    """List the models with their figures, the newest first."""
    table = Table(Column("Model", no_wrap=True), "Trained", "Accuracy", "Danger noticed", "State")
    for known in Registry(folder).models():
        accuracy, danger = _figures(known.report)
        trained = f"{known.trained_at.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"
        table.add_row(known.name, trained, accuracy, danger, _state(known))
    console.print(table)
    return 0


def promote(console: Console, name: str, reason: str, clock: Clock, folder: Path = MODELS) -> int:
    """Let a model of the list serve, whatever was said of it. Raises NoSuchModel."""
    registry = Registry(folder)
    model = registry.find(name)
    objections = tuple((registry.report(model) or {}).get("objections", ()))
    registry.promote(model, clock.now(), forced=reason, objections=objections)
    console.print(f"{model.name} serves from now on.")
    return 0


def roll_back(console: Console, clock: Clock, folder: Path = MODELS) -> int:
    """Let the model serve that served before the present one. Raises NoSuchModel."""
    model = Registry(folder).roll_back(clock.now())
    console.print(f"{model.name} serves again.")
    return 0


def _figures(report: dict[str, Any] | None) -> tuple[str, str]:
    if report is None:
        return "-", "-"
    figures = report["figures"]
    noticed = figures["crisis_noticed"]
    return f"{figures['lenient']:.3f}", f"{noticed['right']}/{noticed['of']}"


def _state(known: Known) -> str:
    if known.serves:
        forced = f" (by force: {escape(known.word.forced)})" if known.word is not None and known.word.forced else ""
        return f"[green]serves[/green]{forced}"
    if known.is_previous:
        return "previous; `nlu rollback` goes back to it"
    match known.word:
        case None:
            return ""
        case word if word.what == "refused":
            return f"refused: {'; '.join(word.objections)}"
        case word if word.model != f"{known.name}{SUFFIX}":
            return f"rolled back on {word.at[:10]}"
        case word:
            return f"promoted on {word.at[:10]}"
