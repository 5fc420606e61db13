"""Every problem code that the parsers can return has a text, and every text has a code."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MAX_CHARS = 60
BLUNT = ("格式错误", "非法", "无效", "不合法", "输入有误", "请输入正确", "您不符合", "假证")


def _texts() -> dict[str, str]:
    loaded = yaml.load((ROOT / "flows/values.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    return {code: variants[0]["text"] for code, variants in loaded["responses"].items()}


TEXTS = _texts()


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
        return
    assert isinstance(node, ast.Constant), f"a problem's code must be written out: {ast.unparse(node)}"
    assert isinstance(node.value, str)
    yield node.value


def _field_names(call: ast.Call) -> frozenset[str]:
    if len(call.args) < 2:
        return frozenset()
    fields = call.args[1]
    assert isinstance(fields, ast.Dict), ast.unparse(call)
    return frozenset(key.value for key in fields.keys if isinstance(key, ast.Constant) and isinstance(key.value, str))


def _problems() -> dict[str, set[frozenset[str]]]:
    """Return each code written in bot/values/ with the sets of fields that are given with it."""
    found: dict[str, set[frozenset[str]]] = {}
    for path in sorted((ROOT / "bot/values").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
                for code in _constants(node.args[0]):
                    found.setdefault(code, set()).add(_field_names(node))
    return found


PROBLEMS = _problems()


def test_the_source_was_read() -> None:
    assert len(PROBLEMS) > 60
    assert PROBLEMS["mobile.too_short"] == {frozenset({"missing"})}


def test_codes_and_texts_are_the_same_set() -> None:
    assert set(PROBLEMS) == set(TEXTS)


def test_texts_are_in_order_and_without_doubles() -> None:
    lines = (ROOT / "flows/values.yml").read_text(encoding="utf-8").splitlines()
    codes = [line.strip().removesuffix(":") for line in lines if line.startswith("  ") and line.endswith(":")]
    assert codes == sorted(set(codes))


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_text_uses_only_fields_that_are_always_given(code: str) -> None:
    placeholders = {name for _, name, _, _ in Formatter().parse(TEXTS[code]) if name}
    for fields in PROBLEMS[code]:
        assert placeholders <= fields


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_text_is_short_and_polite(code: str) -> None:
    text = TEXTS[code]
    assert len(text) <= MAX_CHARS
    assert not any(word in text for word in BLUNT)
    assert text.endswith(("。", "？"))
    assert len(text.rstrip("。？").replace("？", "。").replace("，", "。").split("。")) >= 2, "say how to mend it"
