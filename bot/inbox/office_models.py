"""What staff edit around chats: queues, hours, days off, reasons, canned replies; and who of them is there."""

from datetime import date, datetime

from sqlalchemy import Boolean, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class ChatQueue(Base):
    """One queue of chats, by topic. Staff edit its label, targets and how long an answer usually takes.

    Targets are minutes of working time, or of any time where the queue is served ``around_the_clock``.
    """

    __tablename__ = "chat_queues"

    topic: Mapped[str] = mapped_column(String(32), primary_key=True)
    label: Mapped[str] = mapped_column(String(64))
    usual_answer_minutes: Mapped[int] = mapped_column(Integer)
    first_answer_minutes: Mapped[int] = mapped_column(Integer, default=30, server_default="30")
    resolution_minutes: Mapped[int] = mapped_column(Integer, default=960, server_default="960")
    around_the_clock: Mapped[bool] = mapped_column(Boolean, default=False, server_default=text("false"))
    asks_rating: Mapped[bool] = mapped_column(Boolean, default=True, server_default=text("true"))
    ordinal: Mapped[int] = mapped_column(Integer, default=0, server_default="0")


class WorkingHours(Base):
    """A stretch of a weekday in which staff answer; a weekday may have several. Times are ``HH:MM``, local."""

    __tablename__ = "working_hours"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    weekday: Mapped[int] = mapped_column(Integer)
    opens: Mapped[str] = mapped_column(String(5))
    closes: Mapped[str] = mapped_column(String(5))


class CalendarDay(Base):
    """A day that does not follow its weekday: a holiday, or a weekend day that is worked like ``works_as``."""

    __tablename__ = "calendar_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    works_as: Mapped[int | None] = mapped_column(Integer)
    label: Mapped[str] = mapped_column(String(32), default="")


class CloseReason(Base):
    """Why a chat was ended. Staff edit the labels; one that is not offered any more stays for its old chats."""

    __tablename__ = "chat_close_reasons"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    label: Mapped[str] = mapped_column(String(64))
    asks_rating: Mapped[bool] = mapped_column(Boolean, default=True)
    is_offered: Mapped[bool] = mapped_column(Boolean, default=True)
    ordinal: Mapped[int] = mapped_column(Integer, default=0)


class CannedReply(Base):
    """A text that staff use often, with placeholders such as ``{name}``; ``topic`` offers it in one queue only."""

    __tablename__ = "chat_canned_replies"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    title: Mapped[str] = mapped_column(String(64))
    text: Mapped[str] = mapped_column(Text)
    topic: Mapped[str | None] = mapped_column(String(32))
    is_offered: Mapped[bool] = mapped_column(Boolean, default=True)
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated_by: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[datetime]


class AgentPresence(Base):
    """When a member of staff last had the inbox open."""

    __tablename__ = "chat_agents"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    seen_at: Mapped[datetime]
