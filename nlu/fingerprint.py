"""What a trained model depends on, as one name. Standard library only: the main environment reads it as well."""

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODELS = ROOT / "nlu" / "models"
CURRENT = MODELS / "current"
_REVIEWED = "nlu/reviewed.yml"


def reviewed_in(data_dir: Path) -> Path:
    """Return where the relabelled texts of the review list stand below the data folder; the file need not exist."""
    return data_dir / _REVIEWED


def sources(root: Path = ROOT) -> list[Path]:
    """Return the files that decide the model: pipeline, domain, data, components, locked packages, what was tuned."""
    nlu = root / "nlu"
    return [
        root / "config.yml",
        nlu / "domain.yml",
        nlu / "requirements.lock",
        nlu / "tuning" / "e5.npz",
        *sorted((nlu / "components").glob("*.py")),
        *sorted((nlu / "data").glob("*.yml")),
    ]


def fingerprint(root: Path = ROOT, reviewed: Path | None = None) -> str:
    """Return 16 hex digits that change whenever a model trained from ``root`` would.

    ``reviewed`` is the file of relabelled texts, ``var/nlu/reviewed.yml`` where none is given; its place does not
    count, and neither does a file that is not there.
    """
    digest = hashlib.sha256()
    named = [(path.relative_to(root).as_posix(), path) for path in sources(root)]
    reviewed = reviewed or reviewed_in(root / "var")
    if reviewed.is_file():
        named.append((_REVIEWED, reviewed))
    for name, path in named:
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def model_path(root: Path = ROOT, reviewed: Path | None = None) -> Path:
    """Return where the model for the present sources is, or will be once it is trained."""
    return root / "nlu" / "models" / f"{fingerprint(root, reviewed)}.tar.gz"


def current_model(models: Path = MODELS) -> Path | None:
    """Return the model that ``current`` points to, or None when none was trained yet."""
    pointer = models / "current"
    if not pointer.is_file():
        return None
    path = models / pointer.read_text(encoding="utf-8").strip()
    return path if path.is_file() else None


def point_to(model: Path) -> None:
    """Make ``model`` the current one of its folder; a reader sees the old name or the new one, never half of it."""
    temporary = model.parent / "current.new"
    temporary.write_text(model.name + "\n", encoding="utf-8")
    temporary.replace(model.parent / "current")
