"""Utterances by intent in Rasa's YAML: written, read back, and what is said of a file that cannot be read."""

from pathlib import Path

import pytest

from bot.understanding.errors import TrainingDataInvalid
from bot.understanding.training_data import read_utterances, utterances_yaml


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    said = {"greet": ["你好", "# 在不在: 哦"], "thank": ["谢谢"]}
    (tmp_path / "some.yml").write_text(utterances_yaml("relabelled", said), encoding="utf-8")
    assert read_utterances([tmp_path / "some.yml"]) == said


def test_files_are_read_together(tmp_path: Path) -> None:
    for name, text in (("a", "你好"), ("b", "您好")):
        (tmp_path / f"{name}.yml").write_text(utterances_yaml("", {"greet": [text]}), encoding="utf-8")
    assert read_utterances(sorted(tmp_path.glob("*.yml"))) == {"greet": ["你好", "您好"]}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "nlu: 3",
        "version: '3.1'",
        "nlu:\n- intent: greet",
        "nlu:\n- examples: |\n    - 你好",
        "nlu:\n- intent: greet\n  examples: [你好]",
        "nlu:\n- intent: greet\n  examples: |\n    - 你好\n    您好",
        "nlu: [",
        "- nlu",
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "greet.yml"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(TrainingDataInvalid) as raised:
        read_utterances([file])
    assert raised.value.fields["file"] == "greet.yml"
    assert raised.value.fields["problem"]


def test_a_file_in_another_encoding_is_named(tmp_path: Path) -> None:
    file = tmp_path / "greet.yml"
    file.write_bytes("nlu:\n- intent: greet\n  examples: |\n    - 你好\n".encode("gbk"))
    with pytest.raises(TrainingDataInvalid):
        read_utterances([file])
