"""Accounts of staff: who there is, what they may do, where they are signed in, and what was done to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never
from urllib.parse import urlencode

from aiohttp import web

from bot.console.forms import Form
from bot.console.routing import NavItem, Route, Tile
from bot.console.visit import Visit
from bot.staff.audit import AuditTrail
from bot.staff.credentials import CredentialService, PasswordReset
from bot.staff.models import StaffView
from bot.staff.passwords import one_time_password
from bot.staff.rules import NAME_MAX_CHARS, REASON_MAX_CHARS, check_reason
from bot.staff.second_factor import NothingEnrolled, Removed, SecondFactorService
from bot.staff.service import AccountFilter, Added, Changed, LastAdministrator, StaffService, UsernameTaken
from bot.staff.sessions import SessionService
from bot.values.clock import Clock
from bot.values.counties import County
from bot.values.problem import Problem

READ, EDIT = "staff:account:read", "staff:account:edit"
PAGE_ROWS: Final = 50
HISTORY_ROWS: Final = 20
ACCOUNT: Final = "/staff/{username:[a-z][a-z0-9._-]{1,31}}"
COUNTIES: Final = tuple((county.code, county.short) for county in County)
FIELD_OF: Final[Mapping[str, str]] = {
    "staff.username_form": "username",
    "staff.name_needed": "display_name",
    "staff.name_too_long": "display_name",
    "staff.county_needed": "county",
    "staff.reason_too_short": "reason",
    "staff.reason_too_long": "reason",
}


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do to an account after asking: its address, and who it makes no sense for."""

    name: str
    title: str
    button: str
    is_grave: bool


STEPS: Final = {
    step.name: step
    for step in (
        Step("lock", "停用账号", "停用", is_grave=True),
        Step("unlock", "启用或解锁账号", "启用", is_grave=False),
        Step("password", "重置密码", "重置密码", is_grave=False),
        Step("code", "重置手机验证码", "重置验证码", is_grave=True),
        Step("sessions", "退出全部登录", "全部退出", is_grave=True),
    )
}


class StaffPages:
    """The list of accounts, one account, and each step that changes it. Every step asks for a reason."""

    def __init__(
        self,
        staff: StaffService,
        credentials: CredentialService,
        second_factor: SecondFactorService,
        sessions: SessionService,
        trail: AuditTrail,
        clock: Clock,
    ) -> None:
        self._staff = staff
        self._credentials = credentials
        self._second_factor = second_factor
        self._sessions = sessions
        self._trail = trail
        self._clock = clock

    @property
    def nav(self) -> Sequence[NavItem]:
        """Return the entry of the menu."""
        return [NavItem("账号", "/staff", READ, "管理")]

    def routes(self) -> Sequence[Route]:
        """Return the addresses."""
        return [
            Route("GET", "/staff", self.show, READ),
            Route("GET", "/staff/new", self.begin, EDIT),
            Route("POST", "/staff/new", self.create, EDIT),
            Route("GET", ACCOUNT, self.one, READ),
            Route("POST", ACCOUNT, self.edit, EDIT),
            Route("GET", f"{ACCOUNT}/{{step:{'|'.join(STEPS)}}}", self.ask, EDIT),
            Route("POST", f"{ACCOUNT}/lock", self.lock, EDIT),
            Route("POST", f"{ACCOUNT}/unlock", self.unlock, EDIT),
            Route("POST", f"{ACCOUNT}/password", self.reset_password, EDIT),
            Route("POST", f"{ACCOUNT}/code", self.reset_code, EDIT),
            Route("POST", f"{ACCOUNT}/sessions", self.end_sessions, EDIT),
        ]

    async def tiles(self, visit: Visit) -> Sequence[Tile]:
        """Return how many accounts are locked because of wrong passwords, if any."""
        if not visit.can(EDIT):
            return []
        locked = await self._staff.locked_out()
        return [Tile("输错密码被锁的账号", locked, "/staff")] if locked else []

    # Looking

    async def show(self, visit: Visit) -> web.StreamResponse:
        """List the accounts by username."""
        form = visit.filters()
        chosen = {name: form.raw(name) for name in ("q", "role", "county", "active")}
        wanted = AccountFilter(
            text=chosen["q"].strip(),
            role=chosen["role"],
            county=chosen["county"],
            active={"on": True, "off": False}.get(chosen["active"]),
        )
        after = form.raw("after")
        accounts = await self._staff.page(wanted, after=after, limit=PAGE_ROWS + 1)
        more = {**chosen, "after": accounts[PAGE_ROWS - 1].username} if len(accounts) > PAGE_ROWS else None
        return visit.page(
            "staff/list.html",
            accounts=accounts[:PAGE_ROWS],
            counties_known=COUNTIES,
            chosen=chosen,
            now=self._clock.now(),
            next=f"/staff?{urlencode(more)}" if more else None,
            first=f"/staff?{urlencode(chosen)}" if after else None,
        )

    async def one(self, visit: Visit) -> web.StreamResponse:
        """Show an account, its sessions and what was done to it."""
        return await self._account_page(visit, await self._staff.get(visit.path("username")))

    # Adding and editing

    async def begin(self, visit: Visit) -> web.StreamResponse:
        """Show the form for a new account."""
        return visit.page("staff/new.html", counties_known=COUNTIES, ticked=())

    async def create(self, visit: Visit) -> web.StreamResponse:
        """Create an account with a one-time password, which is shown this once."""
        form = await visit.form()
        username = form.text("username", "用户名", max_chars=32).lower()
        name, roles, county = self._read(visit, form)
        if not form.problems:
            password = one_time_password()
            outcome = await self._staff.add(
                username,
                password,
                display_name=name,
                roles=roles,
                county=county,
                one_time=True,
                by=visit.viewer.username,
                source=visit.source,
            )
            match outcome:
                case Added():
                    return visit.page("staff/password.html", account=outcome.account, password=password, is_new=True)
                case UsernameTaken():
                    form.note("username", Problem("staff.username_taken"))
                case Problem():
                    _put(form, outcome)
                case _:
                    assert_never(outcome)
        return visit.page(
            "staff/new.html",
            status=422,
            counties_known=COUNTIES,
            ticked=roles,
            problems=form.problems,
            typed=form.typed(),
        )

    async def edit(self, visit: Visit) -> web.StreamResponse:
        """Change name, roles and county."""
        account, form = await self._staff.get(visit.path("username")), await visit.form()
        name, roles, county = self._read(visit, form)
        # A name of its own: the dialogs of this page ask for a reason as well.
        reason = form.text("why", "为什么改", max_chars=REASON_MAX_CHARS)
        if "why" not in form.problems:
            form.note("why", check_reason(reason))
        if not form.problems:
            outcome = await self._staff.edit(
                account.username,
                display_name=name,
                roles=roles,
                county=county,
                by=visit.viewer.username,
                source=visit.source,
                reason=reason,
            )
            match outcome:
                case Changed():
                    return visit.to(f"/staff/{account.username}", "staff.saved", sessions=outcome.sessions_ended)
                case LastAdministrator():
                    form.note("roles", Problem("staff.last_administrator"))
                case Problem():
                    _put(form, outcome)
                case _:
                    assert_never(outcome)
        return await self._account_page(visit, account, form, ticked=roles)

    # Steps that ask first

    async def ask(self, visit: Visit) -> web.StreamResponse:
        """Say what a step means, and ask for the reason."""
        return await self._ask_page(visit, STEPS[visit.path("step")])

    async def lock(self, visit: Visit) -> web.StreamResponse:
        """Switch an account off."""
        form, reason = await self._reason(visit)
        if not form.problems:
            outcome = await self._staff.lock(
                visit.path("username"), by=visit.viewer.username, source=visit.source, reason=reason
            )
            match outcome:
                case Changed():
                    return self._back(visit, "staff.locked", outcome.sessions_ended)
                case LastAdministrator():
                    form.note("reason", Problem("staff.last_administrator"))
                case _:
                    assert_never(outcome)
        return await self._ask_page(visit, STEPS["lock"], form)

    async def unlock(self, visit: Visit) -> web.StreamResponse:
        """Switch an account on again, or forget its failed sign-ins."""
        form, reason = await self._reason(visit)
        if form.problems:
            return await self._ask_page(visit, STEPS["unlock"], form)
        await self._staff.unlock(visit.path("username"), by=visit.viewer.username, source=visit.source, reason=reason)
        return self._back(visit, "staff.unlocked", 0)

    async def reset_password(self, visit: Visit) -> web.StreamResponse:
        """Give an account a one-time password, which is shown this once."""
        form, reason = await self._reason(visit)
        if not form.problems:
            account = await self._staff.get(visit.path("username"))
            outcome = await self._credentials.reset_password(
                account.username, by=visit.viewer.username, source=visit.source, reason=reason
            )
            match outcome:
                case PasswordReset():
                    return visit.page("staff/password.html", account=account, password=outcome.password, is_new=False)
                case Problem():
                    _put(form, outcome)
                case _:
                    assert_never(outcome)
        return await self._ask_page(visit, STEPS["password"], form)

    async def reset_code(self, visit: Visit) -> web.StreamResponse:
        """Take a lost code generator away, so that its owner can set up a new one."""
        form, reason = await self._reason(visit)
        if not form.problems:
            outcome = await self._second_factor.reset(
                visit.path("username"), by=visit.viewer.username, source=visit.source, reason=reason
            )
            match outcome:
                case Removed():
                    return self._back(visit, "staff.code_reset", 0)
                case NothingEnrolled():
                    return self._back(visit, "staff.code_none", 0)
                case Problem():
                    _put(form, outcome)
                case _:
                    assert_never(outcome)
        return await self._ask_page(visit, STEPS["code"], form)

    async def end_sessions(self, visit: Visit) -> web.StreamResponse:
        """Sign an account out: everywhere, or in the browser that the form names."""
        form = await visit.form()
        account = await self._staff.get(visit.path("username"))
        only = form.number("session", "登录", least=1, most=10**9, required=False)
        if only is not None:
            ended = await self._sessions.end(
                only, username=account.username, by=visit.viewer.username, source=visit.source
            )
            return self._back(visit, "staff.sessions_ended", int(ended))
        count = await self._sessions.end_all(account.username, by=visit.viewer.username, source=visit.source)
        return self._back(visit, "staff.sessions_ended", count)

    # Parts

    async def _account_page(
        self, visit: Visit, account: StaffView, form: Form | None = None, ticked: Sequence[str] | None = None
    ) -> web.Response:
        return visit.page(
            "staff/account.html",
            status=200 if form is None else 422,
            account=account,
            counties_known=COUNTIES,
            ticked=account.roles if ticked is None else ticked,
            sessions=await self._sessions.sessions_of(account.username),
            history=await self._trail.events(
                object_kind="staff_account", object_id=account.username, limit=HISTORY_ROWS
            ),
            is_required=self._second_factor.is_required(account.roles),
            now=self._clock.now(),
            problems=form.problems if form is not None else {},
            typed=form.typed() if form is not None else {},
        )

    async def _ask_page(self, visit: Visit, step: Step, form: Form | None = None) -> web.Response:
        account = await self._staff.get(visit.path("username"))
        values = {
            "account": account,
            "step": step,
            "sessions": await self._sessions.sessions_of(account.username),
            "is_own": account.username == visit.viewer.username,
            "problems": form.problems if form is not None else {},
            "typed": form.typed() if form is not None else {},
        }
        status = 200 if form is None else 422
        if visit.wants_fragment:
            return visit.part("staff/ask.html", "panel", status=status, **values)
        return visit.page("staff/ask.html", status=status, **values)

    def _read(self, visit: Visit, form: Form) -> tuple[str, Sequence[str], str | None]:
        name = form.text("display_name", "姓名", max_chars=NAME_MAX_CHARS)
        roles = form.options("roles", "角色", visit.role_names)
        county = form.option("county", "区县", [code for code, _ in COUNTIES], required=False)
        return name, roles, county or None

    async def _reason(self, visit: Visit) -> tuple[Form, str]:
        form = await visit.form()
        reason = form.text("reason", "事由", max_chars=REASON_MAX_CHARS)
        if "reason" not in form.problems:
            form.note("reason", check_reason(reason))
        return form, reason

    def _back(self, visit: Visit, notice: str, sessions: int) -> web.Response:
        return visit.to(f"/staff/{visit.path('username')}", notice, sessions=sessions)


def _put(form: Form, problem: Problem) -> None:
    form.note(FIELD_OF.get(problem.code, "form"), problem)
