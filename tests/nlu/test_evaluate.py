"""``nlu evaluate FILE.tsv``: figures for a table, clear words for one that cannot be read."""

import subprocess
from pathlib import Path

import pytest

from bot.commands.training import NLU_PYTHON, ROOT
from tests.support.nlu import is_ready

pytestmark = [
    pytest.mark.xdist_group("nlu"),
    pytest.mark.skipif(not is_ready(), reason="no trained NLU model: `make nlu` prepares it"),
]


def evaluate(table: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    command = [str(NLU_PYTHON), "nlu/evaluate.py", str(table), *more]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_all_figures_are_printed(tmp_path: Path) -> None:
    table = tmp_path / "texts.tsv"
    table.write_text(
        "text\tlabels\tsource\n"
        "你好\tgreet\tmine\n"
        "我要报名勤工俭学\tregister_work_study\tmine\n"
        "谢谢你\tgoodbye|thank\tmine\n"
        "谢谢你了\tgoodbye\tmine\n"
        "公积金怎么提取\tout_of_scope\tmine\n",
        encoding="utf-8",
    )
    done = evaluate(table)
    assert done.returncode == 0, done.stderr
    assert "accuracy strict       0.600   lenient 0.800" in done.stdout
    assert "macro F1" in done.stdout
    assert "out of scope rejected 1.000" in done.stdout
    assert "goodbye                  0.50  (2)" in done.stdout
    assert "goodbye -> thank: 1" in done.stdout
    assert "5 of 5" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("text\tlabel\n你好\tgreet\n", "no column labels"),
        ("text\tlabels\n你好\tgreeting\n", "texts.tsv:2: no such intent: greeting"),
        (None, "No such file"),
    ],
)
def test_a_wrong_table_is_named(tmp_path: Path, content: str | None, complaint: str) -> None:
    table = tmp_path / "texts.tsv"
    if content is not None:
        table.write_text(content, encoding="utf-8")
    done = evaluate(table)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_that_was_not_kept_is_named_and_no_other_takes_its_place(tmp_path: Path) -> None:
    table = tmp_path / "texts.tsv"
    table.write_text("text\tlabels\n你好\tgreet\n", encoding="utf-8")
    gone = ROOT / "nlu" / "models" / "0000000000000000.tar.gz"
    done = evaluate(table, "--model", str(gone))
    assert done.returncode == 4
    assert f"{gone}: there is no such model archive" in done.stderr
    assert "accuracy" not in done.stdout
