"""Every sentence that the console's code asks for stands in the table, with the placeholders that it is given."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from bot.console.texts import TEXTS_DIR, Texts, read_sections
from bot.values.problem import Problem
from tests.console.served import ServedConsole

HERE = TEXTS_DIR.parent
SECTIONS = read_sections()


def _calls(method: str) -> list[tuple[str, str, set[str]]]:
    """Return file, code and named fields of each call of ``visit.<method>`` that names a code."""
    found = []
    for path in sorted(HERE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method:
                named = {keyword.arg for keyword in node.keywords if keyword.arg}
                found += [(path.name, code, named) for argument in node.args[1:2] for code in _texts(argument)]
    return found


def _texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    return [*_texts(node.body), *_texts(node.orelse)] if isinstance(node, ast.IfExp) else []


@pytest.mark.parametrize(("file", "code", "fields"), _calls("to"))
def test_every_notice_is_there_and_filled(file: str, code: str, fields: set[str]) -> None:
    assert (code in SECTIONS["notices"]) is not (code in SECTIONS["refusals"]), file
    assert Texts.load().notice(code, dict.fromkeys(fields, "x")).text


@pytest.mark.parametrize("section", [name for name in SECTIONS if name.startswith("labels.")])
def test_labels_are_texts(section: str) -> None:
    assert all(isinstance(code, str) and isinstance(text, str) for code, text in SECTIONS[section].items())


def test_no_section_holds_what_belongs_to_another() -> None:
    stray = [
        (name, code)
        for name, texts in SECTIONS.items()
        if name.startswith("labels.")
        and name not in ("labels.failure", "labels.platform_refusal", "labels.task_kind")
        for code in texts
        if "." in code
    ]
    assert stray == []


def test_what_is_wrong_in_a_field_is_not_asked_for_as_in_a_chat() -> None:
    said = yaml.safe_load((HERE.parents[1] / "flows" / "values.yml").read_text(encoding="utf-8"))["responses"]
    fields = ("county", "identity", "mobile", "name")
    texts = {code: shown[0]["text"] for code, shown in said.items() if code.partition(".")[0] in fields}
    assert any("请发" in text for text in texts.values())
    shown = Texts.load(problems=texts)
    known = dict.fromkeys(("candidates", "maximum", "extra", "missing", "position"), "1")
    in_console = [shown.problem(Problem(code, known)) for code in texts]
    assert [text for text in in_console if re.search("请发|请只发|请回|发过来|我叫", text)] == []


def test_two_files_do_not_speak_for_one_code(tmp_path: Path) -> None:
    for name in ("chats", "people"):
        (tmp_path / f"{name}.yml").write_text("errors:\n  inbox.gone: 没有了。\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"people\.yml repeats errors: \['inbox\.gone'\]"):
        read_sections(tmp_path)


@pytest.mark.parametrize(
    ("kept", "told"),
    [
        ("phone:电话核对本人", "电话：电话核对本人"),
        ("registrations/0/particulars/phone:本人来电", "报名 1 填写的内容 电话：本人来电"),
        ("approve:qualified:1200", "通过 1200 份：符合本期规则"),
        ("qualified", "符合本期规则"),
        ("http:这不是字段", "http:这不是字段"),
        ("本人要求", "本人要求"),
        ("1200 rows;masked;", "1,200 份，打码"),
        ("12 rows;open;给保险公司投保", "12 份，明文：给保险公司投保"),
        ("县环卫所:signed", "县环卫所：本人签过字的报名表"),
    ],
)
def test_a_reason_of_the_trail_is_told_in_words(kept: str, told: str) -> None:
    assert Texts.load(reasons={"qualified": "符合本期规则"}).audit_reason(kept) == told


async def test_whoever_keeps_personal_data_is_named_where_it_is_shown_and_erased(
    sqlite_console: ServedConsole,
) -> None:
    kept = set(await sqlite_console.records.privacy.export("nobody")) - {"openid", "exported_at"}
    assert len(kept) >= 8
    assert kept <= SECTIONS["labels.erase_subject"].keys()
    assert kept <= SECTIONS["labels.data_field"].keys()


def test_a_large_number_is_parted() -> None:
    assert Texts.load().notice("programme.slots_changed", {"count": 1131}).text == "改好 1,131 个时段。"
