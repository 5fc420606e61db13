"""A worker's phone in the web chat, as one who follows the account for the first time."""

from playwright.async_api import Locator, Page, expect


async def followed(page: Page, address: str, nickname: str = "杨师傅") -> Locator:
    """Open the web chat at ``address``, follow the account as ``nickname``, and return the phone."""
    await page.goto(address)
    await page.get_by_role("button", name=nickname).click()
    await page.get_by_role("button", name="关注公众号").click()
    phone = page.locator(".phone").first
    await expect(phone.get_by_role("log").get_by_text("欢迎关注").last).to_be_visible()
    return phone


async def say(phone: Locator, text: str) -> None:
    """Type ``text`` and send it, from behind the menu if it is up.

    The welcome shows a moment before the row below it, which is the menu or the keyboard: to look which of them it is
    before either is there is to find neither, and to wait for the keyboard that the menu then hides.
    """
    keyboard = phone.get_by_role("button", name="切换到键盘")
    textbox = phone.get_by_role("textbox", name="输入消息")
    await expect(keyboard.or_(textbox)).to_be_visible()
    if await keyboard.is_visible():
        await keyboard.click()
    await textbox.fill(text)
    await textbox.press("Enter")
