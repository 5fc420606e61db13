"""The whole assistant for tests: real gateway, Redis and SQL in one process, the simulated platform over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from bot.app.assistant import Bot, open_bot
from bot.app.records import open_records
from bot.app.worker import worker_of
from bot.commands.run import seed
from bot.demo import new_aes_key
from bot.gateway.server import Gateway, Metrics
from bot.settings import Settings, load_settings
from bot.simulator.models import Exchange, SimulatorConfig
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.server import start
from bot.storage.encryption import FieldCipher
from bot.values.clock import LOCAL_ZONE, Clock, MovedClock
from bot.wechat.menu import read_menu
from tests.support.nlu import free_port

MONDAY = datetime(2026, 6, 15, 10, 0, tzinfo=LOCAL_ZONE)
"""When the clocks of tests begin: ten in the morning in Tongren."""
NO_NLU = "http://127.0.0.1:9"
"""Nobody listens there: keywords stand in for the model."""


@dataclass
class Assistant:
    """A running assistant and the platform in front of it. ``restart`` ends every process of ours and begins anew."""

    settings: Settings
    clock: Clock
    platform: SimulatedPlatform
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _bot: Bot | None = None

    @property
    def bot(self) -> Bot:
        """The composition that runs now."""
        assert self._bot is not None, "the assistant is not running"
        return self._bot

    async def begin(self) -> None:
        """Start the gateway with everything behind it."""
        self._stack = AsyncExitStack()
        bot = await self._stack.enter_async_context(open_bot(self.settings, self.clock))
        gateway = Gateway(bot.codec, bot.turns, Metrics(), _always_ready, deadline_s=self.settings.turn_deadline_s)
        runner = web.AppRunner(gateway.application(), access_log=None, shutdown_timeout=2)
        await runner.setup()
        self._stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", self.settings.gateway_port).start()
        self._bot = bot

    async def end(self) -> None:
        """Stop everything of ours; the platform and the stores stay."""
        self._bot = None
        await self._stack.aclose()

    async def restart(self) -> None:
        """End and begin again: what is known comes from the stores alone."""
        await self.end()
        await self.begin()

    async def publish_menu(self) -> None:
        """Publish the account's menu, as the worker does when it starts."""
        await self.bot.api.create_menu(read_menu(self.settings.flows_dir / "menu.yml"))

    async def work_off(self) -> None:
        """Run every background job once, as the worker would."""
        worker = worker_of(self.bot, "worker-of-tests")
        await worker.run_once()

    async def say(self, openid: str, text: str) -> Exchange:
        """Say something as a follower."""
        return await self.platform.say(openid, text)


async def _always_ready() -> dict[str, bool]:
    return {"tests": True}


def settings_for(
    *, database_url: str, redis_url: str, data_dir: Path, nlu_url: str = NO_NLU, cipher_setting: str | None = None
) -> Settings:
    """Return settings for a whole assistant on free ports."""
    settings = load_settings({}, env_file=None)
    wechat = replace(
        settings.wechat,
        app_id="wxassistanttests",
        app_secret="secret-of-the-tests",
        token="tokenoftests",
        aes_keys=(new_aes_key(),),
        api_base=f"http://127.0.0.1:{free_port()}",
    )
    return replace(
        settings,
        wechat=wechat,
        database_url=database_url,
        redis_url=redis_url,
        data_dir=data_dir,
        nlu_url=nlu_url,
        field_keys=cipher_setting or FieldCipher.new_setting(),
        gateway_port=free_port(),
        demo=True,
    )


@asynccontextmanager
async def simulated_platform(
    settings: Settings, clock: Clock | None = None, **changes: object
) -> AsyncIterator[SimulatedPlatform]:
    """Run the platform that ``settings`` talk to; it keeps the system's time unless it is given a clock."""
    wechat = settings.wechat
    config = SimulatorConfig(
        callback_url=f"http://127.0.0.1:{settings.gateway_port}/wechat",
        app_id=wechat.app_id,
        app_secret=wechat.app_secret,
        token=wechat.token,
        aes_key=wechat.aes_keys[0],
    )
    config = replace(config, **changes)  # type: ignore[arg-type] # Field names and types are the config's own.
    port = int(wechat.api_base.rpartition(":")[2])
    async with SimulatedPlatform(config, clock, acknowledged_not_production=True) as platform:
        running = await start(platform, port=port)
        try:
            yield platform
        finally:
            await running.close()


async def demonstration(url: str) -> None:
    """Store what a demonstration that began on MONDAY holds in the empty database at ``url``."""
    with TemporaryDirectory(prefix="bot-seed-") as folder:
        settings = settings_for(database_url=url, redis_url="", data_dir=Path(folder))
        async with open_records(settings, MovedClock(MONDAY)) as records:
            await seed(records)


@asynccontextmanager
async def running_assistant(settings: Settings, clock: Clock, **platform_changes: object) -> AsyncIterator[Assistant]:
    """Run the assistant with the demonstration's programmes and knowledge."""
    async with simulated_platform(settings, clock, **platform_changes) as platform:
        assistant = Assistant(settings, clock, platform)
        await assistant.begin()
        try:
            await seed(assistant.bot.records)
            yield assistant
        finally:
            await assistant.end()
