"""What followers will read about a programme is shown with the bot's own texts, before anything is open."""

import pytest

from bot.programmes.models import ProgrammeKind
from tests.console.served import ServedConsole


@pytest.mark.parametrize(
    ("kind", "sentences"),
    [
        (
            ProgrammeKind.HEALTH_SCREENING,
            (
                "正在报名，职工来问",
                "去哪家医院方便",
                "几点方便",
                "乳腺",
                "还没到报名时间",
                "同意",
                "按这期规则不超过",
            ),
        ),
        (ProgrammeKind.WORK_STUDY, ("是给困难职工家的孩子报", "工会不收任何费用", "名额和候补都满了")),
        (ProgrammeKind.LEGAL_CONSULTATION, ("填表前的告知", "还没到报名时间")),
    ],
)
async def test_each_service_is_said_as_the_bot_says_it(
    sqlite_console: ServedConsole, kind: ProgrammeKind, sentences: tuple[str, ...]
) -> None:
    reader = await sqlite_console.staff("county_reviewer", county="520628")
    [programme] = await sqlite_console.records.programmes.published(kind)
    page = await reader.get(f"/programmes/{programme.id}/preview")
    for sentence in sentences:
        assert sentence in page.visible, sentence
    # A placeholder that nothing fills would be read as it is.
    assert "{" not in page.visible
    assert "utter_" not in page.visible


async def test_what_is_typed_is_shown_without_being_stored(console: ServedConsole) -> None:
    manager = await console.staff("programme_manager")
    [programme] = await console.records.programmes.published(ProgrammeKind.HEALTH_SCREENING)
    address = f"/programmes/{programme.id}/edit/texts"
    await manager.get(address)
    shown = await manager.post(
        f"{address}/preview", {"notice_text": "<i>只看两天</i>", "elsewhere_text": "找社区医院"}, fragment=True
    )
    assert "<html" not in shown.text
    assert "<i>只看两天</i>" in shown.visible
    assert "<i>" not in shown.text
    assert "找社区医院" in shown.visible
    assert (await console.records.programmes.get(programme.id)).version == programme.version
    assert (await manager.post(f"/programmes/{programme.id}/edit/nothing/preview")).status == 404
    reader = await console.staff("chat_agent")
    assert (await reader.post(f"{address}/preview", {})).status == 403
