"""What attackers bring: texts that want to be markup, a walk over every page, and a strict reading of them."""

import csv
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import date
from html import unescape
from html.parser import HTMLParser
from io import BytesIO, StringIO
from urllib.parse import urlsplit

import aiohttp
from PIL import Image

from bot.campaigns.audience import Everyone, Named, Tagged
from bot.campaigns.automatic_rules import Rule, RuleKind
from bot.campaigns.content import Article, News, Text
from bot.campaigns.drafts import CampaignDraft
from bot.campaigns.models import SendChannel
from bot.campaigns.publication_models import PublicationState
from bot.campaigns.publication_rows import End, conclude
from bot.campaigns.rules import SendingHours
from bot.commands.demo_people import add_workers
from bot.legal.models import CaseDraft
from bot.programmes.models import ProgrammeKind
from bot.registrations.outcomes import Application, Attached, Submitted
from bot.staff.models import AuditRecord
from bot.understanding.models import Guess
from bot.understanding.review.models import Reason, Turn
from bot.values.identity import Sex
from tests.console.applicants import studied
from tests.console.served import Answer, Browser, ServedConsole
from tests.registrations.test_unit_lists import HEAD, line

SCRIPT = "<script>alert(1)</script>"
PAYLOAD = f"{SCRIPT}\"'><img src=x onerror=alert(2)>{{{{7*7}}}}"
"""A worker's name, and everything else that a stranger may type."""
RAW = ("<script>alert(1)", "<img src=x", "onerror=alert(2)>", "49}}")
SONGTAO = "520628"
PER_PATTERN = 5
SKIPPED = re.compile(r"/(static|healthz|logout|inbox/events|tasks/\d+/file|registrations/[^/]+/materials/\d+)")


async def plant(console: ServedConsole) -> None:
    """Put the payload wherever a stranger's text ends: registration, case, chat, message, account, trail."""
    records = console.records
    await add_workers(records)
    programme = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert programme is not None
    [slot, *_] = await records.registrations.slots(programme.id)
    await records.followers.followed("o-evil", PAYLOAD, "k-evil")
    consents = {}
    for consent in programme.consents:
        given = await records.consents.record_consent(
            "o-evil", consent.code, text_version=consent.version, text=PAYLOAD, channel="chat", key="evil"
        )
        consents[consent.code] = given.id
    outcome = await records.registrations.submit(
        Application(
            programme_id=programme.id,
            openid="o-evil",
            key="evil",
            name=PAYLOAD,
            phone="13900009999",
            id_number="522299198003070128",
            birth_date=date(1980, 3, 7),
            sex=Sex.FEMALE,
            county=SONGTAO,
            slot_id=slot.slot_id,
            consents=consents,
            answers={"hs_employer": PAYLOAD, "hs_category": "outdoor", "hs_items": [PAYLOAD]},
        )
    )
    assert isinstance(outcome, Submitted), outcome
    await records.cases.open_case(
        CaseDraft(
            openid="o-evil",
            topic="W1",
            county=SONGTAO,
            name=PAYLOAD,
            phone="13900009999",
            employer=PAYLOAD[:120],
            story=PAYLOAD,
            facts={"unpaid_period": PAYLOAD},
        ),
        "evil-case",
    )
    await records.inbox.escalate("o-evil", "general", PAYLOAD, "evil-chat", county=SONGTAO, reason=PAYLOAD[:60])
    await records.inbox.record_inbound("o-evil", "evil-chat-1", text=PAYLOAD)
    turn = Turn("evil-turn", "o-evil", records.clock.now(), PAYLOAD, (Guess("chitchat", 0.4),), "model", ())
    await records.reviews.add(turn, Reason.LOST)
    await plant_campaigns(console)
    await console.add("mallory", "chat_agent", name=PAYLOAD[:64])
    await records.audit.record(AuditRecord("mallory", "test:row:write", "registration", "R-1", PAYLOAD, "10.0.0.8"))


async def plant_campaigns(console: ServedConsole) -> None:
    """Put the payload into a draft, one that waits for approval, some that go out, a rule and a tester."""
    desk, evil = console.records.campaigns, Named(("o-evil",))
    await plant_publications(console)
    article = Article(PAYLOAD, PAYLOAD, PAYLOAD, PAYLOAD, PAYLOAD, PAYLOAD)
    written = CampaignDraft(PAYLOAD[:80], SendChannel.MASS_LIST, News((article,)), Tagged(PAYLOAD[:40]))
    await desk.service.create(written, by="mallory", key="evil-draft")
    hours = SendingHours(0, 24 * 60)
    for key in ("evil-checked", "evil-sending"):
        sendable = CampaignDraft(PAYLOAD[:80], SendChannel.CUSTOMER, Text("您好"), evil, hours=hours)
        view = await desk.service.create(sendable, by="mallory", key=key)
        checked = await desk.service.check(view.id, by="mallory", version=1)
        assert checked.problems == (), checked.problems
    await desk.service.approve(view.id, by="somebody", version=1, confirmed=1)
    await desk.service.send(view.id, by="mallory", version=1, confirmed=1)
    assert await desk.service.start_due() == [view.id]
    await desk.automatic.rules.save(
        Rule(RuleKind.OPENING, PAYLOAD, at_minute=540, template_id=PAYLOAD[:64]), by="mallory"
    )
    await desk.testers.add("o-evil", PAYLOAD[:40], by="mallory")
    await desk.opt_out_desk.add("o-evil", by="mallory", reason=PAYLOAD)


async def plant_publications(console: ServedConsole) -> None:
    """Publish articles named like the payload, at addresses like it; nobody knows whether others are published."""
    desk, database, now = console.records.campaigns, console.records.database, console.records.clock.now()
    article = Article(PAYLOAD[:32], PAYLOAD, "thumb", PAYLOAD[:16], PAYLOAD[:128])
    end = End(PublicationState.PUBLISHED, article_id="evil", urls=("javascript:alert(1)", f"https://evil/{PAYLOAD}"))
    for key in ("evil-published", "evil-unknown"):
        hours = SendingHours(0, 24 * 60)
        wanted = CampaignDraft(PAYLOAD[:80], SendChannel.PUBLISH, News((article, article)), Everyone(), hours=hours)
        view = await desk.service.create(wanted, by="mallory", key=key)
        await desk.service.check(view.id, by="mallory", version=1)
        await desk.service.approve(view.id, by="somebody", version=1, confirmed=2)
        await desk.service.send(view.id, by="mallory", version=1, confirmed=2)
        assert await desk.service.start_due() == [view.id]
        turn = await desk.publications.claim(view.id)
        assert turn is not None
        assert await desk.publications.begin(turn)
        if key == "evil-unknown":
            await desk.publications.unknown(turn)
        else:
            async with database.transaction() as session:
                assert await conclude(session, view.id, end, now, desk.publications.trail)


async def hand_in(browser: Browser, programme_id: str) -> str:
    """Hand in a unit's list whose name, file and cells are the payload; return the list's address."""
    await browser.get("/registrations/lists")
    form = aiohttp.FormData()
    fields = {"programme": programme_id, "unit": PAYLOAD[:60], "authority": "signed", "key": browser.key}
    for name, value in fields.items():
        form.add_field(name, value)
    text = StringIO()
    good = line(3, 点位="松桃县妇幼保健院（演示）", 日期="2026-06-19", 开始时间="08:30")
    bad = [line(serial, 姓名=PAYLOAD, 职工类别=PAYLOAD) for serial in (1, 2)]
    csv.writer(text).writerows([HEAD, *bad, good])
    form.add_field("file", text.getvalue().encode(), filename=f"{SCRIPT}.csv", content_type="text/csv")
    answer = await browser.post("/registrations/lists", form)
    assert answer.status == 303, answer.visible[:300]
    return answer.location


async def hand_over_a_card(console: ServedConsole) -> str:
    """Let a student named like the payload apply and hand in a photo; return the receipt."""
    receipt = await studied(console, name=PAYLOAD, answers={"ws_student_school": PAYLOAD, "ws_hardship": "illness"})
    records, picture = console.records, BytesIO()
    Image.new("RGB", (40, 30), "white").save(picture, "PNG")
    stored = await records.files.save(picture.getvalue(), owner="student-1", purpose="student_card")
    attached = await records.registrations.attach_material(receipt, "student-1", "student_card", stored.id, "card")
    assert isinstance(attached, Attached), attached
    return receipt


async def decide_many(browser: Browser, receipt: str) -> str:
    """Begin a run over many with the payload as its note; return the run's address."""
    await browser.get("/registrations")
    page = await browser.post("/registrations/bulk/ask", {"step": "approve", "receipt": [receipt]})
    hidden = dict(re.findall(r'name="(step|receipts)" value="([^"]*)"', page.text))
    answer = await browser.post("/registrations/bulk", {**hidden, "reason": "qualified", "note": PAYLOAD})
    assert answer.status == 303, answer.visible[:300]
    return answer.location


@dataclass
class Page:
    """What a browser would make of an answer."""

    links: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "script" and not values.get("src", "").startswith("/static/"):
            self.page.faults.append("a script that is not one of ours")
        for name, value in values.items():
            if name.startswith("on") or name == "style" or name == "srcdoc":
                self.page.faults.append(f"<{tag} {name}=…> in the page")
            leads_out = tag == "a" and values.get("rel") == "noopener noreferrer" and value.startswith("https://")
            leads = name in ("href", "src", "action", "formaction", "hx-get", "hx-post")
            # Published articles are read at the platform, in a window that knows nothing of this one.
            if leads and not _is_ours(value) and not leads_out:
                self.page.faults.append(f"<{tag} {name}={value[:60]!r}>")
        if tag in ("iframe", "object", "embed", "base"):
            self.page.faults.append(f"<{tag}> in the page")
        if tag == "a":
            self.page.links.append(values.get("href", ""))


def _is_ours(address: str) -> bool:
    return address.startswith(("#", "?", "data:image/svg+xml;base64,")) or (
        address.startswith("/") and not address.startswith(("//", "/\\"))
    )


def read(answer: Answer) -> Page:
    """Return the links of a page, and what must not be in any."""
    reader = _Reader()
    reader.feed(answer.text)
    reader.page.faults += [f"{raw!r} in the page" for raw in RAW if raw in answer.text]
    return reader.page


def pattern_of(path: str) -> str:
    """Return an address without what tells one record from another."""
    parts = urlsplit(path)
    plain = re.sub(r"/[A-Za-z0-9_-]{40,}|/\d+|/[A-Z]{2}\d\d-\d{4}-\d+|/[A-Z]\d{2,4}", "/*", parts.path)
    return re.sub(r"^/staff/[a-z.]+(?=/|$)(?<!/new)", "/staff/*", plain) + ("?" if parts.query else "")


async def crawl(browser: Browser, *starts: str) -> AsyncIterator[tuple[str, Answer]]:
    """Follow every link from ``starts``, a few of each kind, and give what came."""
    queue, seen, kinds = deque(starts), set(starts), Counter[str]()
    while queue:
        path = queue.popleft()
        kinds[pattern_of(path)] += 1
        if kinds[pattern_of(path)] > PER_PATTERN:
            continue
        answer = await browser.get(path)
        yield path, answer
        links = [answer.location] if answer.location else read(answer).links
        for link in _followed(links, path):
            if link not in seen:
                seen.add(link)
                queue.append(link)


def _followed(links: list[str], path: str) -> Iterator[str]:
    for link in links:
        whole = f"{urlsplit(path).path}{link}" if link.startswith("?") else unescape(link).partition("#")[0]
        if whole.startswith("/") and not SKIPPED.match(whole):
            yield whole
