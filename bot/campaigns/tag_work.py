"""Reads who has a tag of the platform as long work of staff."""

from typing import Final

from bot.campaigns.platform_tags import PlatformTags
from bot.staff.tasks.models import JsonValue
from bot.staff.tasks.running import RunningTask, TaskResult

KIND: Final = "campaign_tag_pull"


def params_of(tag_id: int, source: str) -> dict[str, JsonValue]:
    """Return the parameters of a task of this kind; ``source`` is the address for the trail."""
    return {"tag": tag_id, "source": source}


class TagPull:
    """The handler of ``KIND``. What was known of the tag stays until all is read, so it may be run again."""

    def __init__(self, tags: PlatformTags) -> None:
        self._tags = tags

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Read the tag's followers. Raises NoSuchTag, TagReadTwice, and what the platform answers."""
        tag_id, source = int(str(task.params["tag"])), str(task.params["source"])
        count = await self._tags.pull(tag_id, by=task.owner, progress=task.progress, source=source)
        return TaskResult({"people": count})
