"""Finding a Python 3.11 that works."""

import stat
import sys
from pathlib import Path

import pytest

from nlu import install

NO_UV = Path("/nonexistent/uv")


def executable(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="needs the running Python to be 3.11")
def test_the_running_python_will_do() -> None:
    found = install.find_python(None, NO_UV)
    assert found is not None
    assert found == found.resolve()


def test_a_shim_that_fails_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shim = executable(tmp_path / "python3.11", "echo 'version 3.11 is not installed' >&2; exit 127")
    other = executable(tmp_path / "python", "echo 3 12; echo /usr/bin/python3.12")
    monkeypatch.setattr(sys, "executable", str(other))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "no-pyenv"))
    assert install.find_python(shim, NO_UV) is None


def test_one_that_only_pyenv_knows_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "pyenv" / "versions" / "3.11.9" / "bin"
    folder.mkdir(parents=True)
    executable(folder / "python3.11", f"echo 3 11; echo {folder}/python3.11")
    other = executable(tmp_path / "python", "echo 3 13; echo /usr/bin/python3.13")
    monkeypatch.setattr(sys, "executable", str(other))
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert install.find_python(None, NO_UV) == folder / "python3.11"


def test_without_a_python_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(install, "is_installed", lambda: False)
    monkeypatch.setattr(install, "find_python", lambda _wanted, _uv: None)
    monkeypatch.setattr(sys, "argv", ["install.py", "--uv", str(tmp_path / "uv")])
    assert install.main() == install.NO_PYTHON
    said = capsys.readouterr().err
    assert "Python 3.11" in said
    assert len(said.strip().splitlines()) == 1


def test_a_changed_lock_calls_for_a_new_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock, venv = tmp_path / "requirements.lock", tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / "python").write_text("", encoding="utf-8")
    lock.write_text("a==1\n", encoding="utf-8")
    monkeypatch.setattr(install, "LOCK", lock)
    monkeypatch.setattr(install, "VENV", venv)
    monkeypatch.setattr(install, "STAMP", venv / "installed.txt")
    assert not install.is_installed()
    (venv / "installed.txt").write_text(install.stamp_text(), encoding="utf-8")
    assert install.is_installed()
    lock.write_text("a==2\n", encoding="utf-8")
    assert not install.is_installed()
