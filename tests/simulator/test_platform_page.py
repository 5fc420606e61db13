"""The web chat in a real browser: following, texting, menus, links, pictures, and hostile texts."""

import os
import shutil
from collections.abc import AsyncIterator, Iterable

import pytest
from playwright.async_api import Page, async_playwright, expect

from bot.simulator.json_body import JsonObject
from bot.simulator.models import Follower
from bot.simulator.platform import SimulatedPlatform
from tests.simulator.client import PNG, ApiClient
from tests.simulator.gateway import Gateway, Message, text_xml

CHROMIUM = os.environ.get("BOT_CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: put one on PATH or set BOT_CHROMIUM")

#: The browser shares two slow processors with the rest of the suite.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)

WELCOME = (
    '您好\n1 <a href="weixin://bizmsgmenu?msgmenucontent=勤工俭学报名&msgmenuid=ws">勤工俭学</a>\n'
    "<script>document.title='坏'</script><img src=x onerror=\"document.title='坏'\">"
    '<a href="javascript:document.title=1">坏链接</a>'
)
MENU: JsonObject = {
    "button": [
        {"name": "我要报名", "sub_button": [{"type": "click", "name": "健康筛查", "key": "screening"}]},
        {"type": "click", "name": "找人工", "key": "human"},
    ]
}


async def answer(message: Message) -> str:
    """Welcome a follower, name a menu key, echo a text."""
    match message.get("Event"):
        case "subscribe":
            return text_xml(message, WELCOME)
        case "CLICK":
            return text_xml(message, f"菜单:{message['EventKey']}")
        case _:
            return text_xml(message, f"收到:{message.get('Content', message['MsgType'])}")


@pytest.fixture
async def page(platform: SimulatedPlatform, gateway: Gateway) -> AsyncIterator[Page]:
    """An open chat page. The test fails if its script fails or anything is asked of another host."""
    gateway.answer = answer
    problems: list[str] = []
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        opened = await browser.new_page(viewport={"width": 1366, "height": 768})
        opened.on("pageerror", lambda error: problems.append(str(error)))
        opened.on("console", lambda line: problems.extend(_complaints(line.type, line.text)))
        opened.on("request", lambda request: problems.extend(_foreign(request.url, platform.base_url)))
        await opened.goto(platform.base_url)
        yield opened
        await browser.close()
    assert problems == []


def _complaints(kind: str, text: str) -> Iterable[str]:
    return [text] if kind in {"error", "warning"} else []


def _foreign(url: str, own: str) -> Iterable[str]:
    return [] if url.startswith((own, "data:")) else [url]


async def test_following_texting_and_clicking(
    page: Page, platform: SimulatedPlatform, gateway: Gateway, api: ApiClient
) -> None:
    await api.post("/cgi-bin/menu/create", MENU)
    await page.get_by_role("button", name="杨师傅").click()
    await page.get_by_role("button", name="关注公众号").click()
    chat = page.get_by_role("log")
    await expect(chat.get_by_text("<script>")).to_be_visible()
    await expect(chat.get_by_text('<a href="javascript:document.title=1">坏链接</a>')).to_be_visible()
    await chat.get_by_role("button", name="勤工俭学").click()
    await expect(chat.get_by_text("收到:勤工俭学报名")).to_be_visible()
    assert gateway.messages[-1]["bizmsgmenuid"] == "ws"

    await page.get_by_role("button", name="我要报名").click()
    await page.get_by_role("button", name="健康筛查").click()
    await expect(chat.get_by_text("菜单:screening")).to_be_visible()

    await page.get_by_role("button", name="切换到键盘").click()
    await page.get_by_role("textbox", name="输入消息").fill("杨小芳 <b>大二</b>")
    await page.keyboard.press("Enter")
    await expect(chat.get_by_text("收到:杨小芳 <b>大二</b>")).to_be_visible()
    assert "铜仁市总工会" in await page.title()
    assert gateway.messages[-1]["Content"] == "杨小芳 <b>大二</b>"
    await expect(page.locator(".allowance")).to_have_text("还能主动发 5 条")
    assert len(platform.conversation(gateway.messages[-1]["FromUserName"])) == 8


async def test_message_menus_pictures_and_places(
    page: Page, platform: SimulatedPlatform, gateway: Gateway, api: ApiClient, yang: Follower
) -> None:
    await platform.say(yang.openid, "你好")
    items: JsonObject = {"head_content": "满意吗", "list": [{"id": "s1", "content": "满意"}], "tail_content": ""}
    body: JsonObject = {"touser": yang.openid, "msgtype": "msgmenu", "msgmenu": items}
    await api.post("/cgi-bin/message/custom/send", body)
    chat = page.get_by_role("log")
    await chat.get_by_role("button", name="满意").click()
    await expect(chat.get_by_text("收到:满意")).to_be_visible()

    await page.get_by_role("button", name="更多功能").click()
    async with page.expect_file_chooser() as choosing:
        await page.get_by_role("button", name="照片").click()
    await (await choosing.value).set_files({"name": "a.png", "mimeType": "image/png", "buffer": PNG})
    await expect(chat.get_by_text("收到:image")).to_be_visible()
    picture = chat.get_by_role("img", name="图片")
    await expect(picture).to_have_js_property("naturalWidth", 1)

    await page.get_by_role("button", name="更多功能").click()
    await page.get_by_role("button", name="位置").click()
    await page.get_by_label("地点").fill("锦江广场")
    await page.keyboard.press("Enter")
    await expect(chat.get_by_text("收到:location")).to_be_visible()
    assert gateway.messages[-1]["Label"] == "锦江广场"


async def test_several_users_side_by_side_and_one_on_a_phone(
    page: Page, platform: SimulatedPlatform, yang: Follower
) -> None:
    platform.add_follower("<script>document.title='坏'</script>")
    third = platform.add_follower("小吴")
    phones = page.locator(".phone")
    await expect(phones).to_have_count(3)
    await platform.say(third.openid, "只给小吴")
    await expect(phones.nth(2).get_by_text("收到:只给小吴")).to_be_visible()
    await expect(phones.nth(0).get_by_text("收到")).to_have_count(0)
    await expect(page.locator("#log").get_by_text("投递 1 次")).to_be_visible()

    await page.set_viewport_size({"width": 390, "height": 844})
    await expect(phones).to_have_count(1)
    await page.get_by_role("button", name="收发记录").click()
    await page.get_by_label("用户").select_option(label="小吴")
    await expect(phones.get_by_text("收到:只给小吴")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert "铜仁市总工会" in await page.title()
    assert yang.openid != third.openid
