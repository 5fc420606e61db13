"""Check pipeline, domain and training data as Rasa does: ``nlu/.venv/bin/python nlu/validate.py``.

Runs ``rasa data validate`` in this environment, with the relabelled texts of the review list where there are any.
Rasa only prints some of its findings, so every user warning it raises counts as a fault here. Exit code 0: nothing to
complain about.
"""

import argparse
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nlu.environment import ROOT, prepare
from nlu.fingerprint import reviewed_in

_EXPECTED = (
    # Conversations live in flows/, so no intent is used in a story.
    "is not used in any story or rule",
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "nlu" / "data", help="the folder of training data")
    parser.add_argument("--reviewed", type=Path, default=reviewed_in(ROOT / "var"), help="relabelled texts")
    chosen = parser.parse_args()
    folder: Path = chosen.data.resolve()
    reviewed: Path = chosen.reviewed.resolve()
    prepare()
    from rasa.__main__ import create_argument_parser

    data = [str(folder), *([str(reviewed)] if reviewed.is_file() else [])]
    arguments = ["data", "validate", "--config", "config.yml", "--domain", "nlu/domain.yml", "--data", *data]
    options = create_argument_parser().parse_args([*arguments, "--fail-on-warnings"])
    with warnings.catch_warnings(record=True) as raised:
        warnings.simplefilter("always", UserWarning)
        options.func(options)
    faults = [str(warning.message) for warning in raised if issubclass(warning.category, UserWarning)]
    faults = [fault for fault in faults if not any(expected in fault for expected in _EXPECTED)]
    for fault in faults:
        print(fault, file=sys.stderr)
    if not faults:
        print("NLU data: valid")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
