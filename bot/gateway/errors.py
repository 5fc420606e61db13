"""What is refused at this edge before the platform's codec sees it."""

from typing import ClassVar

from bot.wechat.errors import CallbackRefused


class TooSlow(CallbackRefused):
    """The body did not arrive in the time in which the answer is due."""

    code: ClassVar[str] = "gateway.too_slow"
    status: ClassVar[int] = 408
    label: ClassVar[str] = "too_slow"


class Broken(CallbackRefused):
    """The body does not decode as its headers say, or its connection was lost."""

    code: ClassVar[str] = "gateway.broken"
    label: ClassVar[str] = "broken"
