"""What a parser answers when it cannot read a text: a code and fields, never a finished sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FieldValue = str | int


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a text was not accepted.

    ``code`` is the key of a text in ``flows/values.yml`` or a service's flow file, for instance
    ``mobile.too_short``; ``fields`` fill that text's placeholders and may be logged, so they never hold the
    rejected personal value itself. ``suggestions`` are texts, likeliest first, that the same parser would accept:
    what was probably meant. They are offered to be tapped, and a single one can be confirmed with a yes.
    """

    code: str
    fields: Mapping[str, FieldValue] = field(default_factory=dict)
    suggestions: tuple[str, ...] = ()
