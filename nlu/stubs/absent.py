"""Stand-ins for packages that Rasa imports at start but that this project's pipeline never calls.

Rasa 3.6 imports TensorFlow while loading its default components and policies, whatever the pipeline holds. Without it
the environment is a quarter of the size and the process half. The names under these stand-ins exist, so that they can
be imported, subclassed, used as decorators and written in annotations; using one for anything else raises, so that a
DIET, TED or ResponseSelector component that slips past the check in tests/nlu fails loudly.
"""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class _AbsentType(type):
    def __getattr__(cls, name: str) -> "type[Absent]":
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent

    def __getitem__(cls, _item: object) -> "type[Absent]":
        return Absent

    def __or__(cls, _other: object) -> "type[Absent]":
        return Absent

    __ror__ = __or__

    def __call__(cls, *args: object, **kwargs: object) -> object:
        # "@tf.function" hands the decorated function in, "@tf.function(reduce_retracing=True)" asks for a decorator.
        if len(args) == 1 and callable(args[0]) and not kwargs:
            return args[0]
        if kwargs and not args:
            return lambda function: function
        raise NotImplementedError("TensorFlow is left out of this environment; see nlu/stubs/absent.py")


class Absent(metaclass=_AbsentType):
    """Takes the place of every class, function and constant of an absent package."""


class AbsentModule(ModuleType):
    """A module in which every public name exists."""

    def __getattr__(self, name: str) -> type[Absent]:
        if name.startswith("__"):
            raise AttributeError(name)
        return Absent


class _AbsentLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = AbsentModule(spec.name)
        module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module as it was made."""


class AbsentFinder(MetaPathFinder):
    """Answers ``import root`` and ``import root.anything`` for the absent root packages."""

    def __init__(self, roots: frozenset[str]) -> None:
        self._roots = roots

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self._roots:
            return None
        return ModuleSpec(fullname, _AbsentLoader(), is_package=True)


def install() -> None:
    """Make ``tensorflow``, ``keras`` and ``randomname`` importable in this process; repeated calls change nothing."""
    if not any(isinstance(finder, AbsentFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, AbsentFinder(frozenset({"tensorflow", "keras", "randomname"})))
