"""PDFs that people hand in, written anew: what their pages show, and nothing else that a PDF can carry.

Loaded by the first PDF: pypdf takes some megabytes in processes that mostly see none.
"""

import logging
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pypdf import PdfReader, apply_configuration, get_configuration
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from bot.storage.pdf.copier import PageCopier
from bot.storage.pdf.limits import Budget, DocumentLimits, TimedBytes
from bot.storage.pdf.marks import Marks
from bot.storage.pdf.pages import pages_of
from bot.storage.pictures import FileRefused

END_MARK = b"%%EOF"
END_BYTES = 1_024
"""A PDF ends with its end mark and perhaps a few bytes that a transfer has added."""

# What pypdf's parsers raise on damaged or malicious files.
_UNREADABLE = (
    PyPdfError,
    DependencyError,
    NotImplementedError,
    OSError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    LookupError,
    EOFError,
    struct.error,
    zlib.error,
)
_TOO_COMPLEX = (LimitReachedError, MemoryError, RecursionError)

# Its warnings quote the file, and what people hand in must not stand in a log.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def cleaned_document(data: bytes, limits: DocumentLimits | None = None) -> bytes:
    """Return the pages as a new PDF, without anything about its maker, anything that runs, or files inside it.

    What was filled into a form or stamped on a page is drawn into the page. Raises FileRefused.
    """
    return _rewritten(data, limits or DocumentLimits(), None)


def watermarked_document(
    data: bytes, text: str, *, font: Path | None = None, limits: DocumentLimits | None = None
) -> bytes:
    """Return the pages as a new PDF with ``text`` in slanted lines over each; raises FileRefused."""
    return _rewritten(data, limits or DocumentLimits(), (text, font))


def _rewritten(data: bytes, limits: DocumentLimits, mark: tuple[str, Path | None] | None) -> bytes:
    budget = Budget(limits)
    with _opened(data, budget) as reader:
        copier = PageCopier(reader, budget)
        marks = None if mark is None else Marks(copier.sheaf, *mark)
        for page in pages_of(reader, budget):
            copier.add(page, marks)
        return copier.written()


@contextmanager
def _opened(data: bytes, budget: Budget) -> Iterator[PdfReader]:
    """Give the parsed file; raises FileRefused, also for what comes to light while it is read."""
    if END_MARK not in data[-END_BYTES:]:
        raise FileRefused(reason="unreadable")
    most = budget.limits.max_unpacked_bytes
    bounds = get_configuration().with_overwrites(
        zlib_maximum_output_length=most,
        lzw_maximum_output_length=most,
        run_length_maximum_output_length=most,
        array_based_stream_maximum_output_length=most,
        disable_legacy_handling=True,
    )
    try:
        with apply_configuration(bounds):
            reader = PdfReader(TimedBytes(data, budget))
            if reader.is_encrypted:
                raise FileRefused(reason="encrypted")
            yield reader
    except _TOO_COMPLEX as error:
        raise FileRefused(reason="too_complex") from error
    except _UNREADABLE as error:
        # A way of locking that pypdf does not know fails as unreadable; its name stands in the file in plain.
        raise FileRefused(reason="encrypted" if b"/Encrypt" in data else "unreadable") from error
