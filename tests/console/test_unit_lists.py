"""Lists that units hand in: the template, every faulty line named, stored once, given up."""

from collections.abc import Sequence
from datetime import date, time
from io import BytesIO

import aiohttp
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from bot.programmes.models import ProgrammeKind
from bot.registrations.statuses import Status
from tests.console.applicants import number, screened
from tests.console.served import Answer, Browser, ServedConsole, counted_queries

MANAGER = "programme_manager"
HEAD = ("姓名", "证件号码", "手机号", "区县", "工作单位", "职工类别", "筛查项目", "点位", "日期", "开始时间")
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture
async def manager(console: ServedConsole) -> Browser:
    return await console.staff(MANAGER, name="石晓梅")


async def screening(console: ServedConsole) -> str:
    programme = await console.records.programmes.current(ProgrammeKind.HEALTH_SCREENING)
    assert programme is not None
    return programme.id


async def line(console: ServedConsole, serial: int, **changes: object) -> list[object]:
    """A line in order, for the first time that is free in 松桃."""
    programme = await screening(console)
    [slot, *_] = await console.records.registrations.slots(programme, county="520628")
    [site] = [one for one in await console.records.programmes.sites(programme) if one.id == slot.site_id]
    values: dict[str, object] = {
        "姓名": "龙小芳",
        "证件号码": number(serial),
        "手机号": f"1390000{serial:04d}",
        "区县": "松桃",
        "工作单位": "县环卫所",
        "职工类别": "环卫等户外劳动者",
        "筛查项目": "乳腺超声",
        "点位": site.name,
        "日期": slot.day,
        "开始时间": slot.start,
    }
    return list((values | changes).values())


def workbook(*lines: Sequence[object]) -> bytes:
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"default_date_format": "yyyy-mm-dd"}) as book:
        table = book.add_worksheet()
        table.write_row(0, 0, HEAD)
        clock = book.add_format({"num_format": "hh:mm"})
        for place, cells in enumerate(lines, 1):
            for column, cell in enumerate(cells):
                if isinstance(cell, time):
                    table.write_datetime(place, column, cell, clock)
                elif isinstance(cell, date):
                    table.write_datetime(place, column, cell)
                else:
                    table.write_string(place, column, str(cell))
    return file.getvalue()


async def uploaded(browser: Browser, console: ServedConsole, data: bytes, name: str = "名单.xlsx") -> Answer:
    """Upload a list; the answer leads to what was found, or says what is wrong with the file."""
    await browser.get("/registrations/lists")
    form = aiohttp.FormData(
        {
            "csrf": browser.csrf,
            "key": browser.key,
            "programme": await screening(console),
            "unit": "松桃县环卫所",
            "authority": "signed",
        },
        quote_fields=False,
    )
    form.add_field("file", data, filename=name, content_type=EXCEL)
    return await browser.post("/registrations/lists", form)


async def test_the_template_holds_the_columns_and_a_guide(console: ServedConsole, manager: Browser) -> None:
    page = await manager.get("/registrations/lists")
    assert "逐行检查" in page.visible
    assert "还没有上传过名单" in page.visible
    status, data, headers = await manager.download(
        f"/registrations/lists/template?programme={await screening(console)}"
    )
    assert (status, headers["Content-Type"]) == (200, EXCEL)
    book = CalamineWorkbook.from_filelike(BytesIO(data))
    assert book.sheet_names == ["名单", "怎么填"]
    assert set(HEAD) <= set(book.get_sheet_by_name("名单").to_python()[0])
    gone = await manager.follow(await manager.get("/registrations/lists/template?programme=none"))
    assert "请先选一个活动" in gone.visible


async def test_a_list_is_looked_through_stored_and_the_same_again_doubles_nobody(
    console: ServedConsole, manager: Browser
) -> None:
    there = await screened(console, 1)
    data = workbook(
        await line(console, 1),
        await line(console, 2),
        await line(console, 3, 姓名="", 手机号="12345", 点位="没有这家"),
    )
    answer = await uploaded(manager, console, data)
    page = await manager.follow(answer)
    assert "有 1 行有问题" in page.visible
    assert there in page.visible
    assert "没有填" in page.visible
    assert "本期没有这个点位" in page.visible
    assert "手机号" in page.visible
    faulty = await manager.get(f"{answer.location}?outcome=faulty")
    assert there not in faulty.visible
    assert await console.records.registrations.find_for("unit:1") == ()
    asked = await manager.get(f"{answer.location}/store")
    assert "的 1 人？" in asked.visible
    assert "单位代报" in asked.visible
    begun = await manager.post(f"{answer.location}/store")
    moving = await manager.follow(begun)
    assert 'hx-trigger="every 2s"' in moving.text
    await console.run_tasks(MANAGER)
    done = await manager.get(answer.location, fragment=True)
    assert "hx-trigger" not in done.text
    assert "<html" not in done.text
    assert "石晓梅" in done.visible
    assert "石晓梅" in (await manager.get("/registrations/lists")).visible
    listed = await manager.get("/registrations?sort=oldest")
    assert "单位代报" in listed.visible
    [made] = await console.records.registrations.find_for("unit:1")
    assert "第 1 份名单，本人签过字的报名表" in (await manager.get(f"/registrations/{made.receipt}")).visible
    again = await manager.follow(await uploaded(manager, console, data))
    assert "名单.xlsx" in again.visible
    assert "请单位改好整份重新上传" in again.visible
    assert "/store" not in again.text
    everyone = [view.status for view in await console.records.registrations.find_for("unit:1")]
    assert everyone == [Status.PENDING]
    assert (await manager.post(f"{answer.location}/store")).status == 422


async def test_a_list_is_given_up(console: ServedConsole, manager: Browser) -> None:
    answer = await uploaded(manager, console, workbook(await line(console, 1)))
    assert "没有登记任何人" in (await manager.get(f"{answer.location}/withdraw")).visible
    page = await manager.follow(await manager.post(f"{answer.location}/withdraw"))
    assert "已放弃" in page.visible
    assert "松桃县环卫所" in page.visible
    await manager.get(answer.location)
    late = await manager.post(f"{answer.location}/store")
    assert late.status == 422
    assert "已经导入或放弃" in late.visible


@pytest.mark.parametrize(
    ("data", "name", "sentence"),
    [
        (b"", "名单.xlsx", "文件是空的"),
        (b"PK\x03\x04 broken", "名单.xlsx", "打不开这个文件"),
        ("姓名,电话\n杨小芳,1".encode(), "名单.csv", "表头缺这几列"),
        (workbook(), "名单.xlsx", "只有表头"),
    ],
)
async def test_a_file_that_cannot_be_read_says_what_to_do_and_keeps_the_rest(
    console: ServedConsole, manager: Browser, data: bytes, name: str, sentence: str
) -> None:
    refused = await uploaded(manager, console, data, name)
    assert refused.status == 422
    assert sentence in refused.visible
    assert 'value="松桃县环卫所"' in refused.text


async def test_a_list_without_a_file_or_a_unit_is_asked_for_both(console: ServedConsole, manager: Browser) -> None:
    await manager.get("/registrations/lists")
    refused = await manager.post("/registrations/lists", {"programme": await screening(console)})
    assert refused.status == 422
    assert "请填写单位名称" in refused.visible
    assert "请选择名单文件" in refused.visible


async def test_many_lists_cost_as_many_queries_as_one(console: ServedConsole, manager: Browser) -> None:
    await uploaded(manager, console, workbook(await line(console, 1)))
    with counted_queries(console.records.database) as of_one:
        await manager.get("/registrations/lists")
    for serial in range(2, 6):
        await uploaded(manager, console, workbook(await line(console, serial)))
    with counted_queries(console.records.database) as of_five:
        page = await manager.get("/registrations/lists")
    assert page.text.count("名单.xlsx") == 5
    assert len(of_five) == len(of_one)


async def test_a_county_reviewer_hands_in_no_lists(console: ServedConsole) -> None:
    reviewer = await console.staff("county_reviewer", county="520628")
    assert (await reviewer.get("/registrations/lists")).status == 403
    assert "单位名单" not in (await reviewer.get("/registrations")).visible
    assert (await console.records.registrations.find_for("unit:1")) == ()


async def test_what_stands_in_a_cell_is_text(console: ServedConsole, manager: Browser) -> None:
    data = workbook(await line(console, 1, 区县="<script>alert(1)</script>", 职工类别="<img src=x>"))
    page = await manager.follow(await uploaded(manager, console, data))
    assert "<script>alert(1)" not in page.text
    assert "<img src=x" not in page.text
