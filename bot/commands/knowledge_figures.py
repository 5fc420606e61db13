"""How often the right entry is found, as tables on the terminal."""

import asyncio
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bot.commands.training import ROOT, is_ready, serve_command
from bot.knowledge.evaluation import Report, chances_of, evaluate, questions_of, read_questions
from bot.knowledge.left_out import LeftOut, left_out
from bot.knowledge.likeness import WITH_MEANING, WITHOUT_MEANING
from bot.knowledge.retrieval import HybridRetriever
from bot.knowledge.rules import Thresholds
from bot.knowledge.seed import read_seed
from bot.settings import Settings
from bot.understanding.client import NluClient
from bot.understanding.embedding import HttpEmbedding
from bot.values.clock import SystemClock

BAD_FILE = 2
NO_MODEL = 4
WORST_SHOWN = 20
PATIENCE_S = 120.0
SURE = (0.10, 0.15, 0.20, 0.25, 0.30, 0.40)
LEAD = (0.03, 0.05, 0.07, 0.10, 0.15, 0.20)
POSSIBLE = (0.05, 0.08, 0.10, 0.12, 0.15)


async def evaluate_search(settings: Settings, file: Path | None, *, without_nlu: bool) -> int:
    """Print the figures on ``file``, or the leave-one-out tables; return an exit code."""
    console = Console()
    if without_nlu:
        return await _run(console, file, None)
    if not is_ready():
        console.print("No NLU model yet: `make nlu` prepares one, --without-nlu does without.")
        return NO_MODEL
    async with _serving(settings.nlu_url) as url, aiohttp.ClientSession() as http:
        clock = SystemClock()
        nlu = NluClient(http, url, clock, timeout_s=PATIENCE_S), HttpEmbedding(http, url, clock)
        return await _run(console, file, nlu)


async def _run(console: Console, file: Path | None, nlu: tuple[NluClient, HttpEmbedding] | None) -> int:
    entries = read_seed()
    if file is None:
        _show_left_out(console, await _left_out(nlu), with_meaning=nlu is not None)
        return 0
    try:
        questions = read_questions(file)
    except (OSError, ValueError) as error:
        console.print(f"[red]{error}[/red]")
        return BAD_FILE
    client, embedding = nlu if nlu is not None else (None, None)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("Questions", total=len(questions))
        retriever = HybridRetriever(embedding)
        report = await evaluate(
            entries, retriever, client, questions, lambda done, _: bar.update(task, completed=done)
        )
    _show(console, report)
    return 0


async def _left_out(nlu: tuple[NluClient, HttpEmbedding] | None) -> LeftOut:
    entries = read_seed()
    texts = [text for said in questions_of(entries).values() for text in said]
    if nlu is None:
        return await asyncio.to_thread(left_out, entries, WITHOUT_MEANING, None, [{} for _ in texts])
    client, embedding = nlu
    with Progress(transient=True) as bar:
        task = bar.add_task("Intents of the seed's questions", total=len(texts))
        chances = []
        for text in texts:
            chances.append(await chances_of(client, text))
            bar.advance(task)
    embedded = await embedding.vectors(texts, PATIENCE_S)
    vectors = None if embedded is None else np.ascontiguousarray(embedded.vectors)
    return await asyncio.to_thread(left_out, entries, WITH_MEANING, vectors, chances)


def _show(console: Console, report: Report) -> None:
    table = Table("Figure", "Share", "Right among them", title=f"{len(report.judged)} questions")
    table.add_row("right entry first (top 1)", f"{report.top_1:.3f}", "")
    table.add_row("right entry among three (top 3)", f"{report.top_3:.3f}", "")
    table.add_row("answered", f"{report.share('answered'):.3f}", f"{report.right_among('answered'):.3f}")
    table.add_row("asked back", f"{report.share('asked_back'):.3f}", f"{report.right_among('asked_back'):.3f}")
    table.add_row("not found", f"{report.share('not_found'):.3f}", "")
    table.add_row("answered wrongly", f"{report.wrongly_answered:.3f}", "")
    console.print(table)
    worst = Table("Entry", "First", "Asked", title="Missed most often")
    for code, found, asked in report.worst(WORST_SHOWN):
        worst.add_row(code, str(found), str(asked))
    console.print(worst)
    for each in report.judged:
        if not each.is_first:
            nearest = "  ".join(f"{item.code} {item.score:.2f}" for item in each.best)
            console.print(
                f"{each.asked.code} [dim]{each.outcome}[/dim] {nearest}  {each.asked.text}", highlight=False
            )


def _show_left_out(console: Console, result: LeftOut, *, with_meaning: bool) -> None:
    kind = "with" if with_meaning else "without"
    first = result.report(Thresholds(sure=0.3, lead=0.1, possible=0.1))
    console.print(f"{len(result.asked)} questions, each left out of the index, {kind} meaning of sentences:")
    console.print(f"top 1 {first.top_1:.3f}, top 3 {first.top_3:.3f}")
    table = Table("sure", "lead", "answered", "right among them", "answered wrongly", title="Thresholds")
    for sure in SURE:
        for lead in LEAD:
            report = result.report(Thresholds(sure=sure, lead=lead, possible=0.1))
            shares = (report.share("answered"), report.right_among("answered"), report.wrongly_answered)
            table.add_row(f"{sure:.2f}", f"{lead:.2f}", *(f"{share:.3f}" for share in shares))
    console.print(table)
    table = Table("possible", "not found", "right among those offered", title="Worth offering")
    for possible in POSSIBLE:
        report = result.report(Thresholds(sure=0.3, lead=0.1, possible=possible))
        table.add_row(
            f"{possible:.2f}", f"{report.share('not_found'):.3f}", f"{report.right_among('asked_back'):.3f}"
        )
    console.print(table)


@asynccontextmanager
async def _serving(url: str) -> AsyncIterator[str]:
    """Give the address of an NLU: the one at ``url`` if it answers, else one that is started for the while."""
    if await _answers(url):
        yield url
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    own = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(*serve_command(port), cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while not await _answers(own):
            if process.returncode is not None or time.monotonic() > deadline:
                raise RuntimeError("the NLU does not start")
            await asyncio.sleep(0.2)
        yield own
    finally:
        process.terminate()
        await process.wait()


async def _answers(url: str) -> bool:
    timeout = aiohttp.ClientTimeout(total=1.0)
    try:
        async with aiohttp.ClientSession(timeout=timeout) as http, http.get(f"{url}/status") as answer:
            return answer.status == 200
    except (aiohttp.ClientError, OSError):
        return False
