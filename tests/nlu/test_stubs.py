"""The stand-ins for TensorFlow: importable under every name, and loud when they are used."""

import subprocess
import sys
import textwrap

import pytest

from tests.nlu.texts import NLU


def run(code: str) -> "subprocess.CompletedProcess[str]":
    """Run ``code`` in a fresh interpreter with the stand-ins installed."""
    prelude = (
        f"import sys; sys.path.insert(0, {str(NLU / 'stubs')!r}); from absent import Absent, install; install()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", prelude + textwrap.dedent(code)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "code",
    [
        "from tensorflow.keras.callbacks import Callback; class_ = type('C', (Callback,), {})",
        "import tensorflow as tf\n@tf.function\ndef f(): return 7\nassert f() == 7",
        "import tensorflow as tf\n@tf.function(reduce_retracing=True)\ndef f(): return 7\nassert f() == 7",
        "from typing import Union; import tensorflow as tf; Union[tf.Tensor, int]; tf.Tensor | None; tf.types.X[int]",
        "from keras.utils import tf_utils; from tensorflow.python.eager.wrap_function import WrappedFunction",
        "install(); import sys; assert sum(type(f).__name__ == 'AbsentFinder' for f in sys.meta_path) == 1",
    ],
)
def test_what_rasa_does_at_import_works(code: str) -> None:
    done = run(code)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("code", ["import tensorflow as tf; tf.constant(3)", "import keras; keras.Model()"])
def test_use_is_refused(code: str) -> None:
    done = run(code)
    assert done.returncode != 0
    assert "TensorFlow is left out" in done.stderr


def test_other_packages_are_missed_as_ever() -> None:
    assert "ModuleNotFoundError" in run("import torchvision_of_nowhere").stderr
