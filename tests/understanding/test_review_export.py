"""The exported file: nothing personal, nothing twice, nothing of the evaluation set, and valid for Rasa."""

import asyncio
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest

from bot.commands.training import NLU_PYTHON
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.understanding.models import Guess
from bot.understanding.review.export import Exporter, LeftOut
from bot.understanding.review.models import Filter, Reason, Status, Turn
from bot.understanding.review.service import ReviewList
from bot.understanding.training_data import read_utterances, utterances_yaml
from bot.values.clock import MovedClock
from nlu.fingerprint import ROOT
from tests.nlu.texts import training_texts

TRAINED = {"check_status": ["我上个月报的名现在到哪一步了嘛", "查进度"], "greet": ["你好"]}
EVALUATED = "text\tlabels\tsource\n去年交上去的那个表审核到哪里了\tcheck_status\ttest\n"


class Desk:
    """A review list, and a project to export for."""

    def __init__(self, reviews: ReviewList, clock: MovedClock, folder: Path) -> None:
        self.reviews, self._clock = reviews, clock
        self.file = folder / "var" / "nlu" / "reviewed.yml"
        (folder / "data").mkdir()
        (folder / "evaluation").mkdir()
        (folder / "data" / "all.yml").write_text(utterances_yaml("Known.", TRAINED), encoding="utf-8")
        (folder / "evaluation" / "texts.tsv").write_text(EVALUATED, encoding="utf-8")
        self.exporter = Exporter(reviews, folder, self.file)
        self._count = 0

    async def relabelled(self, said: str, label: str, *, wording: str | None = None) -> int:
        """Return the id of a row that was relabelled."""
        self._count += 1
        self._clock.move(timedelta(seconds=1))
        guesses = (Guess("greet", 0.3),)
        await self.reviews.add(
            Turn(f"k{self._count}", "o-1", self._clock.now(), said, guesses, "m1", ()), Reason.LOST
        )
        item = (await self.reviews.page(Filter(), limit=1)).items[0].id
        await self.reviews.relabel(item, label, "chen", wording=wording)
        return item

    def written(self) -> dict[str, list[str]]:
        """Return what stands in the file."""
        return read_utterances([self.file]) if self.file.exists() else {}


@pytest.fixture
def desk(database: Database, cipher: FieldCipher, clock: MovedClock, tmp_path: Path) -> Desk:
    return Desk(ReviewList(database, cipher, clock), clock, tmp_path)


def validated(reviewed: Path) -> tuple[int, str]:
    """Return what ``rasa data validate`` says of ``reviewed`` beside two texts of the project's for each intent.

    Rasa takes half a minute over all of them; ``make check`` has it read them once.
    """
    folder = reviewed.parent / "few"
    folder.mkdir()
    few = {intent: said[:2] for intent, said in training_texts().items()}
    (folder / "few.yml").write_text(utterances_yaml("A few.", few), encoding="utf-8")
    command = [str(NLU_PYTHON), "nlu/validate.py", "--data", str(folder), "--reviewed", str(reviewed)]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return checked.returncode, checked.stdout + checked.stderr


async def test_relabelled_texts_are_exported_by_intent_without_what_is_personal(desk: Desk) -> None:
    await desk.relabelled("那个表咋个还没动静", "check_status")
    await desk.relabelled("我叫龙小芳，电话138****1234，要报名", "register_work_study")
    await desk.relabelled("张三强老是赖账", "consult_lawyer", wording="包工头老是赖账")
    done = await desk.exporter.export()
    assert desk.written() == {
        "check_status": ["那个表咋个还没动静"],
        "consult_lawyer": ["包工头老是赖账"],
        "register_work_study": ["我叫某某，电话电话号码，要报名"],
    }
    assert (done.file, done.lines, done.added, done.removed, done.left_out) == (desk.file, 3, 3, 0, ())
    again = await desk.exporter.export()
    assert (again.lines, again.added, again.removed) == (3, 0, 0)
    assert all(item.is_exported for item in (await desk.reviews.page(Filter())).items)


async def test_what_may_not_be_trained_on_is_left_out_with_the_reason(desk: Desk) -> None:
    rows = [
        await desk.relabelled("我加你微信号abc12345", "help"),
        await desk.relabelled("去年交上去的那个表审核到哪里了嘛", "check_status"),
        await desk.relabelled("查进度！", "check_status"),
        await desk.relabelled("我上个月报的名现在到哪一步了", "complaint"),
        await desk.relabelled("……", "greet"),
    ]
    taken = await desk.relabelled("表交了没得人管", "check_status")
    twice = await desk.relabelled("表交了，没得人管", "complaint")
    done = await desk.exporter.export()
    assert done.left_out == (
        LeftOut(rows[0], "personal", "account"),
        LeftOut(rows[1], "evaluation"),
        LeftOut(rows[2], "known"),
        LeftOut(rows[3], "other intent", "check_status"),
        LeftOut(rows[4], "unusable", "empty"),
        LeftOut(twice, "other intent", "check_status"),
    )
    assert desk.written() == {"check_status": ["表交了没得人管"]}
    assert (await desk.reviews.get(taken)).is_exported
    assert not (await desk.reviews.get(twice)).is_exported


async def test_what_is_undone_goes_and_what_is_old_stays(desk: Desk, clock: MovedClock) -> None:
    await desk.relabelled("那个表咋个还没动静", "check_status")
    clock.move(timedelta(days=40))
    wrong = await desk.relabelled("哪个晓得哦", "chitchat")
    other = await desk.relabelled("我要闹了", "complaint")
    await desk.exporter.export()
    assert await desk.reviews.purge(30) == 1
    await desk.reviews.undo(wrong)
    await desk.reviews.undo(other)
    await desk.reviews.relabel(other, "crisis", "chen")
    done = await desk.exporter.export()
    assert desk.written() == {"check_status": ["那个表咋个还没动静"], "crisis": ["我要闹了"]}
    assert (done.lines, done.removed) == (2, 1)
    assert (await desk.reviews.get(wrong)).status is Status.OPEN
    assert not (await desk.reviews.get(wrong)).is_exported


async def test_without_a_line_there_is_no_file(desk: Desk) -> None:
    row = await desk.relabelled("那个表咋个还没动静", "check_status")
    await desk.exporter.export()
    await desk.reviews.undo(row)
    assert (await desk.exporter.export()).lines == 0
    assert not desk.file.exists()


async def test_rasa_finds_the_file_valid(
    sqlite_database: Database, cipher: FieldCipher, clock: MovedClock, tmp_path: Path
) -> None:
    desk = Desk(ReviewList(sqlite_database, cipher, clock), clock, tmp_path)
    if not NLU_PYTHON.exists():
        pytest.skip("no NLU environment: `make nlu` prepares it")
    for said in ("那个[表](entity) #1: {x} 咋个还没动静", "- “引号”: 'yaml' | > & *", "一行\n两行：第二行里头有字"):
        await desk.relabelled(said, "check_status")
    await desk.exporter.export()
    code, said = await asyncio.to_thread(validated, desk.file)
    assert code == 0, said
    assert len(desk.written()["check_status"]) == 3


def test_rasa_does_not_find_every_file_valid(tmp_path: Path) -> None:
    if not NLU_PYTHON.exists():
        pytest.skip("no NLU environment: `make nlu` prepares it")
    file = tmp_path / "reviewed.yml"
    file.write_text(
        utterances_yaml("Unknown.", {"no_such_intent": ["那个表咋个还没动静", "这个表呢"]}), encoding="utf-8"
    )
    code, said = validated(file)
    assert code == 1
    assert "errors" in said
