"""One's own account: the password, the code generator, and where one is signed in."""

import base64
from collections.abc import Sequence
from typing import Final, assert_never

import qrcode
from aiohttp import web
from qrcode.image.svg import SvgPathImage

from bot.console.forms import Form
from bot.console.gate import CODE_PATH, PASSWORD_PATH
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.staff.credentials import CredentialService, LockedOut, PasswordChanged, WrongOldPassword
from bot.staff.second_factor import (
    CodeLocked,
    Confirmed,
    Enrolment,
    NotAccepted,
    NothingEnrolled,
    Obligatory,
    Removed,
    SecondFactorService,
)
from bot.staff.sessions import SessionService
from bot.values.problem import Problem

SESSION: Final = r"/account/sessions/{session:\d{1,9}}/end"
CODE_MAX_CHARS = 12


class AccountPages:
    """What everybody may do about their own account. Pages with ``always`` come before anything else is allowed."""

    def __init__(
        self, credentials: CredentialService, second_factor: SecondFactorService, sessions: SessionService
    ) -> None:
        self._credentials = credentials
        self._second_factor = second_factor
        self._sessions = sessions

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of one's own menu."""
        return [NavItem("我的账号", "/account", None, "我的")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/account", self.show, None),
            Route("GET", PASSWORD_PATH, self.ask_password, None, always=True),
            Route("POST", PASSWORD_PATH, self.change_password, None, always=True),
            Route("GET", CODE_PATH, self.show_code, None, always=True),
            Route("POST", CODE_PATH, self.confirm_code, None, always=True),
            Route("POST", f"{CODE_PATH}/renew", self.renew_codes, None),
            Route("POST", f"{CODE_PATH}/remove", self.remove_code, None),
            Route("POST", "/account/sessions/end", self.end_others, None),
            Route("POST", SESSION, self.end_one, None),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:  # noqa: ARG002 - One's own account never waits.
        """Return nothing."""
        return []

    async def show(self, visit: Visit) -> web.StreamResponse:
        """Show the account and where it is signed in."""
        account = visit.viewer.account
        return visit.page(
            "account/show.html",
            sessions=await self._sessions.sessions_of(account.username),
            codes_left=await self._second_factor.codes_left(account.username) if account.has_code else 0,
            is_required=self._second_factor.is_required(account.roles),
        )

    # The password

    async def ask_password(self, visit: Visit) -> web.StreamResponse:
        """Ask for the old and the new password."""
        return visit.page("account/password.html")

    async def change_password(self, visit: Visit) -> web.StreamResponse:
        """Change the password; every other browser is signed out."""
        form = await visit.form()
        old, new = form.secret("old", "现在的密码"), form.secret("new", "新密码")
        if new and form.secret("again", "再输一次") not in ("", new):
            form.note("again", Problem("account.not_the_same"))
        if not form.problems:
            outcome = await self._credentials.change_password(
                visit.viewer.username, old, new, source=visit.source, session_id=visit.viewer.session_id
            )
            match outcome:
                case PasswordChanged():
                    return visit.to("/", "account.password_changed", sessions=outcome.sessions_ended)
                case WrongOldPassword():
                    form.note("old", Problem("account.wrong_password"))
                case LockedOut():
                    form.note("old", Problem("account.locked", {"until": f"{outcome.until:%H:%M}"}))
                case Problem():
                    form.note("new", outcome)
                case _:
                    assert_never(outcome)
        return visit.page("account/password.html", status=422, problems=form.problems)

    # The code generator

    async def show_code(self, visit: Visit) -> web.StreamResponse:
        """Show the generator to scan, or that there is one."""
        return await self._code_page(visit)

    async def confirm_code(self, visit: Visit) -> web.StreamResponse:
        """Let the generator count, proved by a code, and show the recovery codes this once."""
        form = await visit.form()
        code = form.text("code", "验证码", max_chars=CODE_MAX_CHARS)
        if form.problems:
            return await self._code_page(visit, form)
        outcome = await self._second_factor.confirm(
            visit.viewer.username, code, source=visit.source, session_id=visit.viewer.session_id
        )
        match outcome:
            case Confirmed():
                return visit.page("account/recovery.html", codes=outcome.recovery_codes, is_new=True)
            case NotAccepted():
                form.note("code", Problem("account.wrong_code"))
                return await self._code_page(visit, form)
            case NothingEnrolled():
                return visit.to(CODE_PATH)
            case _:
                assert_never(outcome)

    async def renew_codes(self, visit: Visit) -> web.StreamResponse:
        """Give new recovery codes, shown this once."""
        form = await visit.form()
        code = form.text("renew_code", "验证码", max_chars=CODE_MAX_CHARS)
        if form.problems:
            return await self._code_page(visit, form)
        outcome = await self._second_factor.renew_codes(visit.viewer.username, code, source=visit.source)
        if isinstance(outcome, Confirmed):
            return visit.page("account/recovery.html", codes=outcome.recovery_codes, is_new=False)
        return await self._refused(visit, form, "renew_code", outcome)

    async def remove_code(self, visit: Visit) -> web.StreamResponse:
        """Give up the generator, proved by a code of it."""
        form = await visit.form()
        code = form.text("remove_code", "验证码", max_chars=CODE_MAX_CHARS)
        if form.problems:
            return await self._code_page(visit, form)
        outcome = await self._second_factor.remove(visit.viewer.username, code, source=visit.source)
        match outcome:
            case Removed():
                return visit.to("/account", "account.code_removed")
            case Obligatory():
                return visit.to(CODE_PATH, "account.code_obligatory")
            case _:
                return await self._refused(visit, form, "remove_code", outcome)

    # Sessions

    async def end_one(self, visit: Visit) -> web.StreamResponse:
        """Sign out one other browser."""
        await visit.form()
        session, username = int(visit.path("session")), visit.viewer.username
        await self._sessions.end(session, username=username, by=username, source=visit.source)
        return visit.to("/account", "account.session_ended")

    async def end_others(self, visit: Visit) -> web.StreamResponse:
        """Sign out every browser but this one."""
        await visit.form()
        username = visit.viewer.username
        ended = await self._sessions.end_all(username, by=username, source=visit.source, but=visit.viewer.session_id)
        return visit.to("/account", "account.sessions_ended", sessions=ended)

    # Parts

    async def _refused(
        self, visit: Visit, form: Form, field: str, outcome: NotAccepted | NothingEnrolled | CodeLocked
    ) -> web.StreamResponse:
        match outcome:
            case NotAccepted():
                form.note(field, Problem("account.wrong_code"))
            case CodeLocked():
                form.note(field, Problem("account.locked", {"until": f"{outcome.until:%H:%M}"}))
            case NothingEnrolled():
                return visit.to(CODE_PATH)
            case _:
                assert_never(outcome)
        return await self._code_page(visit, form)

    async def _code_page(self, visit: Visit, form: Form | None = None) -> web.Response:
        account = visit.viewer.account
        enrolment = None if account.has_code else await self._second_factor.begin(account.username)
        return visit.page(
            "account/code.html",
            status=200 if form is None else 422,
            secret=_grouped(enrolment.secret) if enrolment is not None else "",
            picture=_picture(enrolment) if enrolment is not None else "",
            codes_left=await self._second_factor.codes_left(account.username),
            is_required=self._second_factor.is_required(account.roles),
            problems=form.problems if form is not None else {},
        )


def _picture(enrolment: Enrolment) -> str:
    """Return the QR code as an address that holds the picture itself; nothing of it is stored or fetched."""
    image = qrcode.make(enrolment.uri, image_factory=SvgPathImage, box_size=12)
    return "data:image/svg+xml;base64," + base64.b64encode(image.to_string()).decode()


def _grouped(secret: str) -> str:
    return " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
