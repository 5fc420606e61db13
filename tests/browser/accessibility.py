"""What keeps a page from being used by everybody: WCAG AA by axe, frames out of the keyboard's reach, wide pages."""

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.staff import OFFICE, PHONE

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], "resultTypes": ["violations"]}
OUT_OF_REACH = """
() => [...document.querySelectorAll("main *")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && /auto|scroll/.test(getComputedStyle(one).overflowX))
  .filter((one) => one.tabIndex < 0 && !one.querySelector("a, button, input, select, textarea"))
  .map((one) => one.outerHTML.slice(0, 120))
"""
"""What is wider than its frame and cannot be moved by the keyboard."""


async def violations(page: Page) -> list[str]:
    """Return what breaks WCAG 2.1 AA on the page as it is shown now."""
    results = await Axe().run(page, options=RULES)
    return [
        f"{one['id']}: {one['nodes'][0]['target']} {one['nodes'][0]['html'][:120]}"
        for one in results.response["violations"]
    ]


async def faults_of(page: Page) -> list[str]:
    """Return what is wrong with the page on a phone and then on an office screen, without loading it twice."""
    found = []
    for name, size in (("phone", PHONE), ("office", OFFICE)):
        await page.set_viewport_size(size)
        found += [f"{name}: {one}" for one in await violations(page)]
        found += [f"{name}: the keyboard cannot scroll {one}" for one in await page.evaluate(OUT_OF_REACH)]
        width = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        if width > 0:
            found.append(f"{name}: scrolls sideways by {width} px")
    return found
