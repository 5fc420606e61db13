"""A limit to everything that a hostile PDF could make endless."""

from dataclasses import dataclass
from io import BytesIO
from time import monotonic

from bot.storage.pictures import FileRefused


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """How much one PDF may be; far above a scanned booklet, far below what would keep the machine busy."""

    max_pages: int = 200
    max_objects: int = 50_000
    max_unpacked_bytes: int = 32 * 1024 * 1024
    max_written_bytes: int = 32 * 1024 * 1024
    max_s: float = 20.0


class Budget:
    """What is left of the limits for one file; what exceeds them is refused as ``too_complex``."""

    def __init__(self, limits: DocumentLimits) -> None:
        self.limits = limits
        self._ends_at = monotonic() + limits.max_s
        self._objects = self._unpacked_bytes = 0

    def look(self) -> None:
        """Raise FileRefused when the time is over."""
        if monotonic() > self._ends_at:
            raise FileRefused(reason="too_complex")

    def take_object(self) -> None:
        """Count one more object."""
        self._objects += 1
        if self._objects > self.limits.max_objects:
            raise FileRefused(reason="too_complex")
        self.look()

    def take_unpacked(self, size_bytes: int) -> None:
        """Count what a stream has become."""
        self._unpacked_bytes += size_bytes
        if self._unpacked_bytes > self.limits.max_unpacked_bytes:
            raise FileRefused(reason="too_complex")
        self.look()


class TimedBytes(BytesIO):
    """A file in memory that stops being read when the time is over, however the parser loops."""

    def __init__(self, data: bytes, budget: Budget) -> None:
        super().__init__(data)
        self._budget = budget

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes; raises FileRefused."""
        self._budget.look()
        return super().read(size)
