"""Compares a candidate with the serving model on the evaluation set, writes its report, and promotes it or not."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.understanding.evaluation import Example, evaluate, read_examples
from bot.understanding.promotion import Change, Count, Figures, Verdict, judge
from nlu.evaluate import LocalModel
from nlu.progress import Bar
from nlu.registry import Registry, report_path


def settle(candidate: Path, registry: Registry, evaluation: Path, now: datetime, *, force: str | None) -> bool:
    """Promote ``candidate`` unless the rule is against it; ``force`` promotes it anyway. Return whether it serves.

    The first model of a folder is promoted for want of another, and so is one whose predecessor does not load any
    more: that one could not serve after the next start either.
    """
    examples = [example for path in sorted(evaluation.glob("*.tsv")) for example in read_examples(path)]
    serving = registry.serving()
    after = _figures(candidate, examples, "candidate")
    before = _figures_of_serving(serving, examples) if serving is not None and serving != candidate else None
    verdict = _with_rollback(judge(before, after) if before is not None else Verdict((), ()), candidate, registry)
    promoted = not verdict.objections or force is not None
    registry.write_report(candidate, _report(candidate, serving, before, after, verdict, force, now))
    _show(verdict, before, after)
    if promoted:
        registry.promote(candidate, now, forced=force if verdict.objections else None, objections=verdict.objections)
        _say_promoted(candidate, verdict, force)
    else:
        registry.refuse(candidate, now, verdict.objections)
        print(f"NLU model {candidate.name} is NOT promoted; {serving and serving.name} goes on serving:")
        for objection in verdict.objections:
            print(f"  {objection}")
        print(f"Its report: {report_path(candidate)}", flush=True)
    return promoted


def _with_rollback(verdict: Verdict, candidate: Path, registry: Registry) -> Verdict:
    """What people went back from must not come again by itself, however good its figures are."""
    rolled_back_at = registry.rolled_back_at(candidate)
    if rolled_back_at is None:
        return verdict
    return replace(verdict, objections=(*verdict.objections, f"people went back from it on {rolled_back_at[:10]}"))


def _figures(model: Path, examples: Sequence[Example], title: str) -> Figures:
    return Figures.of(asyncio.run(evaluate(LocalModel(model), examples, progress=Bar(f"evaluating {title}"))))


def _figures_of_serving(serving: Path, examples: Sequence[Example]) -> Figures | None:
    try:
        return _figures(serving, examples, "serving model")
    except Exception as fault:  # noqa: BLE001 - A model of older components may fail in any way when it is loaded.
        print(f"NLU model {serving.name} cannot be compared: it does not load any more ({type(fault).__name__})")
        return None


def _report(
    candidate: Path,
    serving: Path | None,
    before: Figures | None,
    after: Figures,
    verdict: Verdict,
    force: str | None,
    now: datetime,
) -> dict[str, Any]:
    return {
        "model": candidate.name,
        "evaluated_at": now.isoformat(timespec="seconds"),
        "compared_with": serving.name if serving is not None and before is not None else None,
        "objections": list(verdict.objections),
        "forced": force if verdict.objections else None,
        "figures": after.to_json(),
        "before": before.to_json() if before is not None else None,
    }


def _show(verdict: Verdict, before: Figures | None, after: Figures) -> None:
    changes = verdict.changes or [Change(intent, count, count) for intent, count in after.by_intent.items()]
    _line("recall by intent", "before", "after", "change")
    for change in changes:
        _line(change.intent, _count(change.before) if before else "-", _count(change.after), _difference(change))
    _line("all texts, lenient", f"{before.lenient:.1%}" if before else "-", f"{after.lenient:.1%}")
    _line("all texts, strict", f"{before.strict:.1%}" if before else "-", f"{after.strict:.1%}")
    _line("danger noticed", _count(before.crisis_noticed) if before else "-", _count(after.crisis_noticed))


def _line(name: str, before: str, after: str, change: str = "") -> None:
    print(f"{name:24} {before:>14} {after:>14}  {change}".rstrip())


def _count(count: Count) -> str:
    return f"{count.right}/{count.of} {count.percent:5.1f}%"


def _difference(change: Change) -> str:
    texts = change.after.right - change.before.right
    if texts == 0:
        return ""
    mark = "  TOO MUCH" if change.loses_too_much else ""
    return f"{change.points:+.1f} points ({texts:+d} {'text' if abs(texts) == 1 else 'texts'}){mark}"


def _say_promoted(candidate: Path, verdict: Verdict, force: str | None) -> None:
    if verdict.objections:
        print(f"Promoted against the rule, as was asked for: {force}")
    print(f"NLU model {candidate.name} is ready and serves from now on", flush=True)
