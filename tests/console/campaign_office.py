"""A console beside the simulated platform, with those who write, approve and send campaigns."""

from dataclasses import dataclass
from datetime import timedelta

from bot.app.worker import campaign_worker_of
from bot.campaigns.audience import Everyone
from bot.campaigns.batches import Batches
from bot.campaigns.content import Content, Text
from bot.campaigns.drafts import CampaignDraft
from bot.campaigns.models import SendChannel
from bot.campaigns.pace import Pace
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.rules import MASS_CALLS_PER_MINUTE, SINGLES_PER_MINUTE_MAX, SendingHours
from bot.campaigns.sending import BatchSender
from bot.campaigns.stopping import Stops
from bot.simulator.platform import SimulatedPlatform
from bot.values.clock import MovedClock
from bot.wechat.mass import MassApi
from tests.console.served import Answer, Browser, ServedConsole

TEXT = Text("活动开始了")


@dataclass
class Office:
    """A console beside a platform with followers, and an operator and an approver who are signed in."""

    console: ServedConsole
    platform: SimulatedPlatform
    clock: MovedClock
    people: list[str]
    operator: Browser
    approver: Browser

    async def written(self, content: Content = TEXT, channel: str = "mass_list") -> int:
        """Store a campaign and return its number."""
        hours = SendingHours(0, 24 * 60)
        kind = SendChannel(channel)
        per_minute = MASS_CALLS_PER_MINUTE if kind.is_mass else SINGLES_PER_MINUTE_MAX
        draft = CampaignDraft("六月活动", kind, content, Everyone(), hours=hours, per_minute=per_minute)
        service = self.console.records.campaigns.service
        return (await service.create(draft, by="campaign_operator", key=f"{content}{channel}")).id

    async def sent(self, content: Content, channel: str = "mass_list", confirmed: int | None = None) -> int:
        """Bring a campaign all the way through the pages, and let a worker send it.

        ``confirmed`` is what is typed, without it the number of followers.
        """
        number = await self.written(content, channel)
        await self.operator.get(f"/campaigns/{number}")
        assert (await self.operator.post(f"/campaigns/{number}/check", {"version": "1"})).status == 303
        for browser, step in ((self.approver, "approve"), (self.operator, "send")):
            await browser.get(f"/campaigns/{number}/{step}")
            typed = {"version": "1", "confirmed": str(len(self.people) if confirmed is None else confirmed)}
            answer = await browser.post(f"/campaigns/{number}/{step}", typed)
            assert answer.status == 303, answer.visible
        await self.work()
        return number

    async def work(self) -> None:
        """Do what the worker does until nothing is left."""
        bot = self.console.bot
        records, mass = bot.records, MassApi(bot.api.client)
        batches = Batches(records.database, records.clock)
        stops = Stops(records.database, records.clock, records.campaigns.service)
        pictures = CampaignPictures(records.database, records.files, records.clock)
        sender = BatchSender(batches, Pace(bot.redis), stops, mass, bot.api, records.clock, pictures=pictures)
        worker = campaign_worker_of(bot)
        await records.campaigns.service.start_due()
        await worker.publish()
        for batch_id in await batches.due():
            await sender.run(batch_id)
        await worker.sweep()

    async def looked_after(self) -> None:
        """Let the platform publish what it has, and the worker ask for what was not reported, and go on."""
        await self.platform.settle()
        self.clock.move(timedelta(minutes=10))
        await campaign_worker_of(self.console.bot).sweep()
        await self.work()

    async def tester(self, openid: str, name: str) -> str:
        """Put a follower on the list of testers by the pages; return the tester's number."""
        await self.operator.get("/campaigns/testers")
        found = await self.operator.post("/campaigns/testers/find", {"who": openid})
        reference = found.text.partition('name="person" value="')[2].partition('"')[0]
        answer = await self.operator.post("/campaigns/testers/add", {"person": reference, "name": name})
        assert answer.status == 303, answer.visible
        return next(str(one.id) for one in await self.console.records.campaigns.testers.all() if one.name == name)

    async def previewed(self, number: int, *testers: str, key: str | None = None) -> Answer:
        """Press “send a preview” in the campaign's page."""
        await self.operator.get(f"/campaigns/{number}")
        fields = {"testers": list(testers), **({} if key is None else {"key": key})}
        return await self.operator.post(f"/campaigns/{number}/preview", fields)

    def seen(self, openid: str) -> list[str]:
        """Return what a follower's phone shows of messages."""
        return [one.text for one in self.platform.seen(openid)]
