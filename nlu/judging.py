"""Compares a candidate with the serving model on the evaluation set, writes its report, and promotes it or not."""

import asyncio
from collections.abc import Sequence
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
    verdict = judge(before, after) if before is not None else Verdict((), ())
    promoted = not verdict.objections or force is not None
    registry.write_report(candidate, _report(candidate, serving, before, after, verdict, force, now))
    _show(verdict, after)
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


def _show(verdict: Verdict, after: Figures) -> None:
    changes = verdict.changes or [Change(intent, count, count) for intent, count in after.by_intent.items()]
    print(f"{'recall by intent':24} {'before':>14} {'after':>14}  change")
    for change in changes:
        before = _count(change.before) if verdict.changes else "-"
        print(f"{change.intent:24} {before:>14} {_count(change.after):>14}  {_difference(change)}")
    print(f"{'all texts, lenient':24} {'':>14} {100 * after.lenient:>13.1f}%")
    print(f"{'danger noticed':24} {'':>14} {_count(after.crisis_noticed):>14}")


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
