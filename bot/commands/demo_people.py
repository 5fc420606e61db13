"""Made-up staff and workers for the demonstration, so that no page of the console is empty. Nobody of them exists.

Identity numbers are of an area code that was never given out (522299); every call has a fixed key, so that a second
start adds nothing.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from bot.app.records import Records
from bot.legal.models import CaseDraft
from bot.programmes.models import Programme, ProgrammeKind
from bot.registrations.outcomes import Application
from bot.staff.models import StaffView
from bot.staff.service import Added
from bot.understanding.models import Guess
from bot.understanding.review.models import Reason, Turn
from bot.values.counties import County
from bot.values.identity import Sex, check_character

AREA: Final = "522299"
COMMAND_LINE: Final = "command line"
SHOWN_COUNTY: Final = County.SONGTAO


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """A made-up member of staff, one a role."""

    username: str
    name: str
    role: str
    county: County | None = None


ACCOUNTS: Final = (
    DemoAccount("demo", "演示管理员", "administrator"),
    DemoAccount("demo.manager", "演示活动管理员", "programme_manager"),
    DemoAccount("demo.reviewer", "演示审核员", "county_reviewer", SHOWN_COUNTY),
    DemoAccount("demo.lawyer", "演示律师", "lawyer", SHOWN_COUNTY),
    DemoAccount("demo.agent", "演示客服", "chat_agent"),
    DemoAccount("demo.operator", "演示群发编辑", "campaign_operator"),
    DemoAccount("demo.approver", "演示群发审批", "campaign_approver"),
    DemoAccount("demo.auditor", "演示审计员", "auditor"),
)

_WOMEN = (
    "龙小芳",
    "杨秀英",
    "吴玉兰",
    "田桂花",
    "石美玲",
    "冉春梅",
    "张凤仙",
    "麻阿妹",
    "安顺琴",
    "代红霞",
    "欧阳秋菊",
    "滕玉珍",
)
_STUDENTS = ("杨家乐", "吴晓宇", "田思源", "龙云飞", "罗欣怡", "冉子涵")
_COUNTIES = (County.SONGTAO, County.BIJIANG, County.SONGTAO, County.SINAN)
_CASES = (
    (
        "W1",
        13,
        "老板跑路咯，我们十几个人的工钱都没给，去年十月到十二月的。",
        {"unpaid_period": "10 月到 12 月", "employed": "no"},
    ),
    ("W4", 1, "上了六年班，昨天突然喊我明天不用来了，一分补偿没说。", {"who_ended": "单位", "has_notice": "no"}),
    ("W6", 1, "干活时手遭机器压了，老板只垫了医药费，喊我莫报工伤。", {"injury_reported": "no"}),
    ("W12", 1, "跑外卖的，平台乱扣钱，申诉几次都没得用。", {"order_rules": "差评一单扣 50"}),
)
_CHATS = (
    ("general", "厂里头没得工会，我们几个想入会，找哪个？"),
    ("registration", "娃儿的学生证还没发，先交录取通知书得行不？"),
    ("registration", "那天要上班，能不能帮我换到周末？"),
)
_UNCLEAR = (
    ("那个号头咋整的哦", "check_status", "change_registration"),
    ("我婆娘那个体检改到下个礼拜得不得行", "change_registration", "book_health_screening"),
    ("你们说的那个券是不是要先入会才有", "faq_coupons", "faq_membership"),
    ("老板喊我签个啥子东西，我不晓得签不签", "consult_lawyer", "faq_labour_law"),
    ("啊这", "chitchat", "complaint"),
)


async def add_staff(records: Records, password: str) -> None:
    """Create an account for each role unless it is there."""
    known = {account.username for account in await records.staff.accounts()}
    for account in ACCOUNTS:
        if account.username not in known:
            await _add(records, account, password)


async def _add(records: Records, account: DemoAccount, password: str) -> StaffView:
    added = await records.staff.add(
        account.username,
        password,
        display_name=account.name,
        roles=[account.role],
        county=account.county.code if account.county else None,
        by=COMMAND_LINE,
        source=COMMAND_LINE,
    )
    if not isinstance(added, Added):
        raise TypeError(f"the demonstration's account {account.username} was not accepted: {added}")
    return added.account


async def add_workers(records: Records) -> None:
    """Let made-up workers register, ask lawyers, wait in chats and be misunderstood, once."""
    screening = await records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    work_study = await records.programmes.current(ProgrammeKind.WORK_STUDY)
    if screening is not None:
        await _register_women(records, screening)
    if work_study is not None:
        await _register_students(records, work_study)
    await _open_cases(records)
    await _open_chats(records)
    await _misunderstand(records)


async def _register_women(records: Records, programme: Programme) -> None:
    slots = await records.registrations.slots(programme.id)
    for serial, name in enumerate(_WOMEN, start=1):
        # The last ones are outside the ages of the programme, which people look at; nobody is refused by machine.
        born = date(1970 + serial, 3, 7) if serial < len(_WOMEN) - 1 else date(2000, 3, 7)
        slot = slots[serial * 3 % len(slots)] if slots else None
        await records.registrations.submit(
            Application(
                programme_id=programme.id,
                openid=f"demo-woman-{serial}",
                key=f"demo-woman-{serial}",
                name=name,
                phone=f"1380000{serial:04d}",
                id_number=_number(born, serial * 2),
                birth_date=born,
                sex=Sex.FEMALE,
                county=slot.county if slot else County.SONGTAO.code,
                slot_id=slot.slot_id if slot else None,
                consents=await _agree(records, programme, f"demo-woman-{serial}"),
                answers={"hs_employer": "演示环卫所", "hs_category": "outdoor", "hs_items": ["cervical", "breast"]},
            )
        )


async def _register_students(records: Records, programme: Programme) -> None:
    for serial, name in enumerate(_STUDENTS, start=1):
        born, county = date(2006, serial, 11), _COUNTIES[serial % len(_COUNTIES)]
        posts = await records.registrations.posts(programme.id, county=county.code)
        await records.registrations.submit(
            Application(
                programme_id=programme.id,
                openid=f"demo-parent-{serial}",
                key=f"demo-parent-{serial}",
                name=name,
                phone=f"1390000{serial:04d}",
                id_number=_number(born, 100 + serial * 2),
                birth_date=born,
                sex=None,
                county=county.code,
                post_id=posts[0].post_id if posts else None,
                relation="parent",
                consents=await _agree(records, programme, f"demo-parent-{serial}"),
                answers={
                    "ws_student_school": "铜仁学院（演示）",
                    "ws_student_grade": "大二",
                    "ws_student_major": "护理",
                    "ws_hardship": "filed_relative" if serial % 2 else "illness",
                },
            )
        )


async def _agree(records: Records, programme: Programme, openid: str) -> dict[str, int]:
    """Record the consents that every applicant gives, and return their ids by purpose."""
    given = {}
    for consent in programme.consents:
        if not consent.needed_when:
            view = await records.consents.record_consent(
                openid,
                consent.code,
                text_version=consent.version,
                text=consent.text,
                channel="chat",
                key=openid,
                programme_id=programme.id,
            )
            given[consent.code] = view.id
    return given


async def _open_cases(records: Records) -> None:
    today = records.clock.now().date()
    for serial, (topic, people, story, facts) in enumerate(_CASES, start=1):
        # One limit is near, so that an urgent case can be seen.
        harmed = today - timedelta(days=360 if serial == 1 else 40 * serial)
        await records.cases.open_case(
            CaseDraft(
                openid=f"demo-worker-{serial}",
                topic=topic,
                county=_COUNTIES[serial % len(_COUNTIES)].code,
                name=("杨师傅", "吴大姐", "田师傅", "小龙")[serial - 1],
                phone=f"1370000{serial:04d}",
                employer="演示建筑劳务公司" if topic == "W1" else "",
                people_count=people,
                story=story,
                facts={**facts, "rights_harmed_on": harmed.isoformat()},
            ),
            f"demo-case-{serial}",
        )


async def _open_chats(records: Records) -> None:
    for serial, (topic, text) in enumerate(_CHATS, start=1):
        openid, key = f"demo-chat-{serial}", f"demo-chat-{serial}"
        if await records.inbox.open_chat_of(openid) is not None:
            continue
        opened = await records.inbox.escalate(openid, topic, text, key, county=SHOWN_COUNTY.code, reason="asked")
        if opened.is_new:
            await records.inbox.record_inbound(openid, f"{key}-1", text=text)


async def _misunderstand(records: Records) -> None:
    now = records.clock.now()
    for serial, (text, first, second) in enumerate(_UNCLEAR, start=1):
        guesses = (Guess(first, 0.44 - serial / 50), Guess(second, 0.31), Guess("handoff_human", 0.06))
        moment = now - timedelta(hours=serial)
        turn = Turn(f"demo-unclear-{serial}", f"demo-worker-{serial}", moment, text, guesses, "demo", ())
        await records.reviews.add(turn, Reason.ASKED_BACK if serial % 2 else Reason.LOST)


def _number(born: date, order: int) -> str:
    first = f"{AREA}{born:%Y%m%d}{order:03d}"
    return first + check_character(first)
