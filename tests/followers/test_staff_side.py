"""What staff do about a follower: find, look at masked, take a copy, erase; over the whole of the records."""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from bot.app.records import Records, open_records
from bot.app.tasks import task_runner_of
from bot.commands.demo_people import add_workers
from bot.followers.dossier import LISTED_MAX, Entry, masked_entries, value_at
from bot.followers.errors import NoSuchFollower
from bot.followers.export import EXPORT
from bot.followers.finding import FOUND_MAX, FollowerFinder
from bot.followers.privacy import ERASE, JsonValue, holder_hash
from bot.followers.references import PATTERN, FollowerReferences
from bot.settings import load_settings
from bot.staff.tasks.models import TaskState, TaskView
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.values.problem import Problem
from tests.support.many_registrations import store_many
from tests.support.statements import recorded_statements


@pytest.fixture
async def records(seeded_url: str, tmp_path: Path, clock: MovedClock) -> AsyncIterator[Records]:
    settings = replace(
        load_settings({}, env_file=None),
        database_url=seeded_url,
        data_dir=tmp_path,
        field_keys=FieldCipher.new_setting(),
    )
    async with open_records(settings, clock) as opened:
        await add_workers(opened)
        yield opened


async def _receipt(records: Records, openid: str) -> str:
    [view] = await records.registrations.find_for(openid)
    return view.receipt


# Finding


async def test_a_follower_is_found_by_receipt_name_phone_number_and_openid(
    records: Records, clock: MovedClock
) -> None:
    today = clock.now().date()
    receipt = await _receipt(records, "demo-woman-1")
    number = value_at(await records.privacy.export("demo-woman-1"), "registrations/0/particulars/id_number")
    assert number is not None
    for typed in (receipt, receipt.lower(), " 龙小芳 ", "138 0000 0001", number, "demo-woman-1"):
        assert await records.finder.find(typed, today) == ["demo-woman-1"], typed
    [case, *_] = await records.cases.cases_of("demo-worker-2")
    assert await records.finder.find(case.receipt, today) == ["demo-worker-2"]


async def test_nobody_is_found_by_a_part_and_bad_input_says_why(records: Records, clock: MovedClock) -> None:
    today = clock.now().date()
    for typed in ("小芳", "13800000", "QG26-0615-9999", "' OR 1=1 --aa", "demo-nobody"):
        found = await records.finder.find(typed, today)
        assert found == [] or isinstance(found, Problem), typed
    assert isinstance(await records.finder.find("   ", today), Problem)


async def test_of_many_with_one_name_the_latest_are_listed_in_as_many_queries_as_one(
    database: Database, cipher: FieldCipher, clock: MovedClock
) -> None:
    await store_many(database, cipher, clock, 21_000)
    with recorded_statements(database) as statements:
        found = await FollowerFinder(database, cipher).find("杨芳敏", clock.now().date())
    assert len(statements) == 1
    assert isinstance(found, list)
    # The names repeat every thousand rows, and each row is another follower's.
    assert found == [f"openid-{number}" for number in range(20_001, 20_001 - 1_000 * FOUND_MAX, -1_000)]
    with recorded_statements(database) as statements:
        latest = await FollowerFinder(database, cipher).latest(found, each=3)
    assert len(statements) == 2
    assert [len(latest[openid]) for openid in found] == [1] * FOUND_MAX


async def test_several_who_are_found_are_told_apart_by_what_they_registered_for_last(records: Records) -> None:
    receipt = await _receipt(records, "demo-woman-1")
    latest = await records.finder.latest(["demo-woman-1", "demo-nobody"], each=1)
    assert [(one.receipt, one.name_masked) for one in latest["demo-woman-1"]] == [(receipt, "龙*芳")]
    assert latest["demo-nobody"] == []


def test_a_reference_says_nothing_and_cannot_be_made_up(cipher: FieldCipher) -> None:
    references = FollowerReferences(cipher)
    reference = references.of("o-6abcDEF")
    assert "6abc" not in reference
    assert references.openid(reference) == "o-6abcDEF"
    other = FollowerReferences(FieldCipher({"k1": bytes(32)}, current="k1", hash_key=bytes(32)))
    for made_up in (other.of("o-6abcDEF"), reference[:-2] + "AA", "", "!!", "o-6abcDEF"):
        with pytest.raises(NoSuchFollower):
            references.openid(made_up)
    assert PATTERN.startswith("[A-Za-z0-9_-]")


# Looking


def _leaves(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    for entry in entries:
        yield from _leaves(entry.children) if entry.shown is None else (entry,)


async def test_everything_is_there_and_nothing_of_the_person_shows(records: Records) -> None:
    export = await records.privacy.export("demo-woman-1")
    entries = masked_entries(export)
    assert [entry.key for entry in entries][2:] == [
        "registrations",
        "legal",
        "inbox",
        "turns",
        "turn_answers",
        "reports",
        "review",
        "campaigns",
        "followers",
    ]
    shown = {entry.path: entry.shown or "" for entry in _leaves(entries)}
    text = "\n".join(shown.values())
    for secret in ("龙小芳", "13800000001", "演示环卫所", "demo-woman-1", "19710307"):
        assert secret not in text
    assert shown["registrations/0/particulars/name"] == "龙*芳"
    assert shown["registrations/0/particulars/phone"] == "138****0001"
    assert shown["registrations/0/receipt"] == await _receipt(records, "demo-woman-1")
    masked = {entry.path for entry in _leaves(entries) if entry.is_masked}
    assert "registrations/0/particulars/answers/hs_employer" in masked
    for path in masked:
        assert value_at(export, path), path


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("a/0/name", "龙小芳"),
        ("a/1/name", None),
        ("a/-1/name", None),
        ("a/0", None),
        ("a", None),
        ("a/0/name/0", None),
        ("b", None),
        ("c", "0"),
        ("", None),
        ("a/0/__class__", None),
    ],
)
def test_only_values_are_under_a_path(path: str, value: str | None) -> None:
    export: JsonValue = {"a": [{"name": "龙小芳"}], "b": "", "c": 0}
    assert value_at(export, path) == value


def test_what_is_not_known_to_be_harmless_is_hidden_and_long_lists_show_their_end() -> None:
    export: dict[str, JsonValue] = {"new": {"salary": 4300, "status": "placed"}, "list": [str(n) for n in range(50)]}
    salary, status = masked_entries(export)[0].children
    assert (salary.shown, salary.is_masked) == ("已隐藏（4 字）", True)
    assert (status.shown, status.is_masked) == ("placed", False)
    listed = masked_entries(export)[1]
    assert (listed.total, len(listed.children), listed.children[0].path) == (50, LISTED_MAX, "list/49")


# A copy


def _photo() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(data, "JPEG")
    return data.getvalue()


async def _exported(records: Records, openid: str) -> TaskView:
    params = {"openid": openid, "reason": "本人书面申请", "source": "10.0.0.8"}
    task = await records.tasks.start(EXPORT, owner="chief", params=params, key=openid)
    await task_runner_of(records).run(task.id)
    return await records.tasks.get(task.id, owner="chief")


async def test_a_copy_holds_everything_with_the_photos_and_the_trail_knows(records: Records) -> None:
    receipt = await _receipt(records, "demo-parent-1")
    photo = await records.files.save(_photo(), owner="demo-parent-1", purpose="registration")
    await records.registrations.attach_material(
        receipt, openid="demo-parent-1", code="student_card", file_id=photo.id, key="m"
    )
    view = await _exported(records, "demo-parent-1")
    assert (view.state, view.summary) == (TaskState.DONE, {"files": 1})
    stored = await records.task_files.read(view.file_id or "")
    with zipfile.ZipFile(io.BytesIO(stored.data)) as archive:
        export = json.loads(archive.read("信息.json"))
        assert export["registrations"][0]["particulars"]["name"] == "杨家乐"
        [name] = [name for name in archive.namelist() if name.startswith("材料/")]
        assert name.startswith(f"材料/{receipt}-student_card")
        assert archive.read(name)[:2] == b"\xff\xd8"
    [event] = await records.audit.events(action=EXPORT)
    assert event.record.object_id == holder_hash(records.cipher, "demo-parent-1")
    assert (event.record.actor, event.record.reason, event.record.source) == ("chief", "本人书面申请", "10.0.0.8")


async def test_a_photo_that_is_gone_is_named_and_the_rest_is_there(records: Records) -> None:
    receipt = await _receipt(records, "demo-parent-1")
    photo = await records.files.save(_photo(), owner="demo-parent-1", purpose="registration")
    await records.registrations.attach_material(
        receipt, openid="demo-parent-1", code="student_card", file_id=photo.id, key="m"
    )
    await records.files.delete(photo.id)
    view = await _exported(records, "demo-parent-1")
    assert (view.state, view.summary) == (TaskState.DONE, {"files": 0})
    stored = await records.task_files.read(view.file_id or "")
    with zipfile.ZipFile(io.BytesIO(stored.data)) as archive:
        assert receipt in archive.read("缺失.txt").decode()


# Erasing


async def test_after_erasing_nobody_is_found_and_the_trail_knows_who_did_it(
    records: Records, clock: MovedClock
) -> None:
    today = clock.now().date()
    await records.privacy.erase("demo-woman-1", requested_by="chief", reason="本人书面申请", source="10.0.0.8")
    for typed in ("龙小芳", "13800000001", "demo-woman-1"):
        assert await records.finder.find(typed, today) == []
    shown = _leaves(masked_entries(await records.privacy.export("demo-woman-1")))
    assert {entry.path for entry in shown if entry.is_masked} == {"openid"}
    [event] = await records.audit.events(action=ERASE)
    assert (event.record.actor, event.record.reason) == ("chief", "本人书面申请")
    assert "demo-woman-1" not in repr(await records.audit.events())
