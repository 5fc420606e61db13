"""A follower's copy of everything that is kept of them: one zip file, made by a task, gone after a week."""

import asyncio
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Final

from bot.followers.privacy import PrivacyService, holder_hash
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.storage.encryption import FieldCipher
from bot.storage.files import FileMissing, PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import Clock

EXPORT: Final = "privacy:follower:export"
SUFFIX: Final[Mapping[str, str]] = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}
README = """本文件包含铜仁市总工会公众号助手保存的关于您的全部信息。

信息.json  按业务分开的全部内容(报名、法律咨询、聊天、对话记录、同意记录等)
材料/      您上传过的照片和文件
缺失.txt   已到期删除、因此不在这里的文件(没有就不附)

请只交给本人或其监护人、近亲属,不要转发。
"""


class FollowerExport:
    """Writes the file. Whoever asked for it, and why, is in the trail before anything is opened."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        privacy: PrivacyService,
        *,
        trail: AuditWriter,
        files: PrivateFiles,
        task_files: PrivateFiles,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._privacy = privacy
        self._trail = trail
        self._files = files
        self._task_files = task_files

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Write the file for the parameters ``openid``, ``reason`` and ``source``."""
        openid = str(task.params["openid"])
        await self._note(task, openid)
        export = await self._privacy.export(openid)
        wanted = await self._privacy.files(openid)
        await task.progress(1, len(wanted) + 2)
        parts: dict[str, bytes] = {
            "说明.txt": README.encode(),
            "信息.json": json.dumps(export, ensure_ascii=False, indent=1).encode(),
        }
        missing: list[str] = []
        for number, file in enumerate(wanted, start=2):
            try:
                found = await self._files.read(file.file_id)
            except FileMissing:
                missing.append(file.name)
            else:
                parts[f"材料/{file.name}.{SUFFIX.get(found.file.media_type, 'bin')}"] = found.data
            await task.progress(number, len(wanted) + 2)
        if missing:
            parts["缺失.txt"] = "\n".join(missing).encode()
        data = await asyncio.to_thread(_zipped, parts)
        stored = await self._task_files.save_made(data, "application/zip", owner=task.owner, purpose=task.kind)
        name = f"个人信息-{self._clock.now():%Y%m%d-%H%M}.zip"
        return TaskResult({"files": len(wanted) - len(missing)}, file_id=stored.id, file_name=name)

    async def _note(self, task: RunningTask, openid: str) -> None:
        reason, source = str(task.params.get("reason", "")), str(task.params.get("source", ""))
        holder = holder_hash(self._cipher, openid)
        async with self._database.transaction() as session:
            await task.verify(session)
            await self._trail.append(session, AuditRecord(task.owner, EXPORT, "follower", holder, reason, source))


def _zipped(parts: Mapping[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return data.getvalue()
