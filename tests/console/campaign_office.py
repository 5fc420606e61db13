"""A console beside the simulated platform, with those who write, approve and send campaigns."""

from dataclasses import dataclass

from bot.app.worker import campaign_worker_of
from bot.campaigns.audience import Everyone
from bot.campaigns.batches import Batches
from bot.campaigns.content import Content, Text
from bot.campaigns.drafts import CampaignDraft
from bot.campaigns.models import SendChannel
from bot.campaigns.pace import Pace
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.rules import SendingHours
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
        draft = CampaignDraft("六月活动", SendChannel(channel), content, Everyone(), hours=hours)
        service = self.console.records.campaigns.service
        return (await service.create(draft, by="campaign_operator", key=f"{content}{channel}")).id

    async def sent(self, content: Content) -> int:
        """Bring a campaign all the way through the pages, and let a worker send it."""
        number = await self.written(content)
        await self.operator.get(f"/campaigns/{number}")
        assert (await self.operator.post(f"/campaigns/{number}/check", {"version": "1"})).status == 303
        for browser, step in ((self.approver, "approve"), (self.operator, "send")):
            await browser.get(f"/campaigns/{number}/{step}")
            confirmed = {"version": "1", "confirmed": str(len(self.people))}
            answer = await browser.post(f"/campaigns/{number}/{step}", confirmed)
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
        await records.campaigns.service.start_due()
        for batch_id in await batches.due():
            await sender.run(batch_id)
        await campaign_worker_of(bot).sweep()

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
