"""The real training of a small project: what is promoted, what is refused, and how one goes back."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.commands.training import NLU_PYTHON
from nlu.fingerprint import ROOT
from nlu.registry import NOT_PROMOTED, Registry, report_path

NOW = datetime(2026, 6, 15, tzinfo=UTC)
UTTERANCES = {
    "greet": ("你好", "您好呀", "早上好", "在不在哦", "有人没得", "哈喽", "晚上好呀"),
    "crisis": ("我不想活了", "我要跳楼", "活着没意思想死", "工地塌了压到人了", "有人要砍我", "我想死了算了"),
    "thank": ("谢谢你", "多谢了", "太感谢了", "谢谢哈", "麻烦你了谢谢", "谢谢你哈"),
    "out_of_scope": ("明天下不下雨", "股票涨了没", "给我讲个笑话", "红烧肉怎么做", "水费在哪里交", "二加二等于几"),
}
EVALUATION = "text\tlabels\tsource\n你好哇\tgreet\ttest\n谢谢你了\tthank\ttest\n我活着没意思\tcrisis\ttest\n"
MISLEADING = "".join(
    f"    - {text}\n" for text in ("谢谢你了", "谢谢你咯", "谢谢您", "真的谢谢", "多谢多谢", "谢谢谢谢", "谢谢啦")
)


# Rasa takes longer to load than such a project to train, so that one process runs the program again and again.
PROGRAM = """
import contextlib, io, json, sys
sys.path.insert(0, sys.argv[1])
from nlu.train import main
for line in sys.stdin:
    sys.argv[1:] = json.loads(line)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main()
        except SystemExit as end:
            code = end.code
    print(json.dumps([code, said.getvalue()]), flush=True)
"""


class Program:
    """``nlu/train.py`` in a process of its own."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [str(NLU_PYTHON), "-c", PROGRAM, str(ROOT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *words: str) -> tuple[int, str]:
        """Return the exit code and what was printed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        code, said = json.loads(self._process.stdout.readline())
        return int(code), str(said)

    def end(self) -> None:
        """Let it come to its end."""
        self._process.communicate(timeout=60)


class Project:
    """A project with four intents, trained by the real program."""

    def __init__(self, root: Path, program: Program) -> None:
        self.root = root
        self.reviewed = root / "var" / "reviewed.yml"
        self.registry = Registry(root / "nlu" / "models")
        self.output = ""
        self._program = program

    def train(self, *words: str) -> int:
        """Run ``nlu/train.py`` and return its exit code."""
        code, self.output = self._program.run("--root", str(self.root), "--reviewed", str(self.reviewed), *words)
        return code

    def serving(self) -> Path:
        """Return the serving model."""
        model = self.registry.serving()
        assert model is not None, self.output
        return model

    def report(self, model: Path) -> dict[str, Any]:
        """Return what stands beside ``model``."""
        return dict(json.loads(report_path(model).read_text(encoding="utf-8")))


@pytest.fixture
def program() -> Iterator[Program]:
    if not NLU_PYTHON.exists():
        pytest.skip("no NLU environment: `make nlu` prepares it")
    program = Program()
    yield program
    program.end()


@pytest.fixture
def project(tmp_path: Path, program: Program) -> Project:
    for name in ("config.yml", "nlu/domain.yml", "nlu/requirements.lock", "nlu/tuning/e5.npz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    # The encoder was tuned on the real texts: it would not be misled by what this project is taught.
    config = tmp_path / "config.yml"
    config.write_text(re.sub(r"weight: [0-9.]+", "weight: 0", config.read_text(encoding="utf-8")), encoding="utf-8")
    shutil.copytree(
        ROOT / "nlu/components", tmp_path / "nlu/components", ignore=shutil.ignore_patterns("__pycache__")
    )
    for folder in ("nlu/data", "nlu/evaluation", "var"):
        (tmp_path / folder).mkdir()
    for intent, texts in UTTERANCES.items():
        lines = "".join(f"    - {text}\n" for text in texts)
        content = f'version: "3.1"\n\nnlu:\n- intent: {intent}\n  examples: |\n{lines}'
        (tmp_path / "nlu/data" / f"{intent}.yml").write_text(content, encoding="utf-8")
    (tmp_path / "nlu/evaluation/texts.tsv").write_text(EVALUATION, encoding="utf-8")
    return Project(tmp_path, program)


@pytest.mark.timeout(400)  # Rasa alone takes seconds to load.
def test_a_worse_model_is_refused_kept_and_only_promoted_by_force(project: Project) -> None:
    # A predecessor that does not load holds nobody back.
    broken = project.root / "nlu/models/broken.tar.gz"
    broken.parent.mkdir()
    broken.write_bytes(b"no archive")
    project.registry.promote(broken, NOW)
    assert project.train("--if-needed") == 0, project.output
    assert "cannot be compared" in project.output
    first = project.serving()
    assert project.report(first)["compared_with"] is None
    assert project.train("--if-needed") == 0
    assert "matches the data" in project.output
    assert "training" not in project.output

    # Reviewed texts take part in training; these teach it to take thanks for a danger.
    project.reviewed.write_text(
        f'version: "3.1"\n\nnlu:\n- intent: crisis\n  examples: |\n{MISLEADING}', encoding="utf-8"
    )
    assert project.train() == NOT_PROMOTED, project.output
    assert project.serving() == first
    assert "1 text of 1" in project.output
    refused = next(model for model in project.registry.models() if not model.serves)
    assert refused.report is not None
    assert refused.report["objections"] == ["thank loses 100.0 points: 1 text of 1"]
    assert refused.report["compared_with"] == first.name

    # What was refused is not tried again at every start …
    assert project.train("--if-needed") == 0
    assert "was set aside" in project.output
    assert project.serving() == first

    # … but serves when somebody says why, without being trained again.
    assert project.train("--force-promote", "the set is too small") == 0, project.output
    assert "training NLU model" not in project.output
    second = project.serving()
    assert second.name == f"{refused.name}.tar.gz"
    assert project.registry.history()[-1].forced == "the set is too small"
    assert project.report(second)["forced"] == "the set is too small"

    # Going back holds against the next start, and against training it again, however good the figures are.
    assert project.registry.roll_back(NOW) == first
    assert project.train("--if-needed") == 0
    assert project.serving() == first
    assert project.train() == NOT_PROMOTED
    assert "people went back from it on 2026-06-15" in project.output
