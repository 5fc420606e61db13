"""When the model must be trained anew, and which one is served."""

import shutil
from pathlib import Path

import pytest

from nlu.fingerprint import ROOT, current_model, fingerprint, model_path, point_to, reviewed_in, sources


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of everything that decides the model."""
    for path in sources():
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def test_equal_sources_have_equal_fingerprints(project: Path) -> None:
    assert fingerprint(project) == fingerprint(reviewed=project / "nothing.yml")


@pytest.mark.parametrize(
    "changed",
    [
        "config.yml",
        "nlu/domain.yml",
        "nlu/requirements.lock",
        "nlu/data/greet.yml",
        "nlu/components/ngrams.py",
        "nlu/tuning/e5.npz",
    ],
)
def test_any_change_shows(project: Path, changed: str) -> None:
    before = fingerprint(project)
    with (project / changed).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    assert fingerprint(project) != before


def test_a_new_or_renamed_file_shows(project: Path) -> None:
    before = fingerprint(project)
    (project / "nlu/data/greet.yml").rename(project / "nlu/data/greetings.yml")
    assert fingerprint(project) != before


def test_reviewed_texts_show_wherever_they_are_kept(project: Path, tmp_path: Path) -> None:
    before = fingerprint(project)
    reviewed = reviewed_in(tmp_path / "elsewhere")
    assert fingerprint(project, reviewed) == before
    for path in (reviewed, reviewed_in(project / "var")):
        path.parent.mkdir(parents=True)
        path.write_text("nlu: []\n", encoding="utf-8")
    after = fingerprint(project, reviewed)
    assert after != before
    assert fingerprint(project) == after
    assert model_path(project, reviewed).name == f"{after}.tar.gz"
    reviewed.write_text("nlu: [] \n", encoding="utf-8")
    assert fingerprint(project, reviewed) != after


def test_text_moved_from_one_file_to_the_next_shows(project: Path) -> None:
    first, second = project / "nlu/data/affirm.yml", project / "nlu/data/book_health_screening.yml"
    before = fingerprint(project)
    lines = first.read_text(encoding="utf-8").splitlines(keepends=True)
    first.write_text("".join(lines[:-1]), encoding="utf-8")
    second.write_text(lines[-1] + second.read_text(encoding="utf-8"), encoding="utf-8")
    assert fingerprint(project) != before


def test_the_pointer_names_the_current_model(tmp_path: Path) -> None:
    assert current_model(tmp_path) is None
    for name in ("one.tar.gz", "two.tar.gz"):
        model = tmp_path / name
        model.write_bytes(b"")
        point_to(model)
        assert current_model(tmp_path) == model
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "one.tar.gz", "two.tar.gz"]


def test_a_pointer_to_nothing_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("gone.tar.gz\n", encoding="utf-8")
    assert current_model(tmp_path) is None
