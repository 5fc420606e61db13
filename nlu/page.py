"""Figures in docs/nlu.md: what a command measured replaces what stands between its two marks."""

from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "nlu.md"


def replaced(page: str, name: str, text: str) -> str:
    """Return ``page`` with ``text`` between the marks of ``name``. Raises ValueError when they are not there."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, found, rest = page.partition(start)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"the page has no place for {name}")
    return f"{before}{start}\n{text.strip()}\n{end}{after}"


def write_figures(name: str, text: str, page: Path = PAGE) -> None:
    """Put ``text`` into the file ``page`` between the marks of ``name``."""
    page.write_text(replaced(page.read_text(encoding="utf-8"), name, text), encoding="utf-8")
