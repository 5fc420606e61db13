"""The whole assistant of one process, built from the settings and closed in the right order."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import aiohttp
from redis.asyncio import Redis

from bot.app.actions import PlatformPictures, action_table
from bot.app.records import Records, cipher_of, open_records
from bot.dialogue.catalog import FlowCatalog
from bot.dialogue.engine import Engine
from bot.dialogue.events import ActionTable
from bot.dialogue.loader import load_catalog
from bot.dialogue.models import EngineSettings
from bot.dialogue.render import Renderer
from bot.dialogue.standard_validators import standard_validators
from bot.followers.privacy import PersonalData
from bot.inbox.running import RunningChats
from bot.knowledge.scores import Retriever
from bot.settings import SettingInvalid, Settings
from bot.storage.redis import RedisLink
from bot.storage.sql import ROOMY, SqliteMemory
from bot.storage.task_queue import TaskStream
from bot.turns.chats import InboxChats
from bot.turns.conversation import Conversation
from bot.turns.personal_data import DialogueData
from bot.turns.service import TurnService
from bot.turns.store import Arrivals, TurnStore
from bot.understanding.client import NluClient
from bot.values.clock import Clock, SystemClock
from bot.wechat.client import WeChatApi
from bot.wechat.codec import Codec
from bot.wechat.token import StableToken
from bot.worker.campaigns import BATCH_STREAM, BATCHES_AT_A_TIME


@dataclass(frozen=True, slots=True)
class Bot:
    """The whole assistant in one process: the records, and what answers followers."""

    records: Records
    link: RedisLink
    redis: Redis
    task_stream: TaskStream
    batch_stream: TaskStream
    api: WeChatApi
    codec: Codec
    store: TurnStore
    turns: TurnService
    actions: ActionTable
    catalog: FlowCatalog
    engine: Engine
    renderer: Renderer


@asynccontextmanager
async def open_bot(
    settings: Settings, clock: Clock | None = None, *, memory: SqliteMemory = ROOMY
) -> AsyncIterator[Bot]:
    """Open everything that a gateway or worker process needs; ``memory`` as for ``Database``.

    Raises SettingInvalid, RedisUnavailable.
    """
    if not settings.wechat.app_id:
        raise SettingInvalid(name="BOT_WECHAT_APP_ID", problem="is required; `make run` works without it")
    if not settings.redis_url:
        raise SettingInvalid(name="BOT_REDIS_URL", problem="is required for a single process; `make run` starts one")
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession())
        clock = clock or SystemClock()
        retriever = partial(_by_meaning, http, settings.nlu_url, clock)
        stream = TaskStream(settings.redis_url)
        stack.push_async_callback(stream.close)
        link = await stack.enter_async_context(RedisLink(settings.redis_url))
        store = TurnStore(link, cipher_of(settings), clock, state_ttl_s=settings.state_ttl_s)
        records = await stack.enter_async_context(
            open_records(
                settings,
                clock,
                retriever=retriever,
                task_queue=stream,
                beside=(DialogueData(store),),
                memory=memory,
            )
        )
        redis = Redis.from_url(settings.redis_url)
        stack.push_async_callback(redis.aclose)
        yield await _bot(settings, records, link, redis, stream, store, http, stack)


@asynccontextmanager
async def open_personal_data(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Records]:
    """Open the records for a command that exports or erases a follower.

    ``records.privacy`` knows of the dialogues as well where ``BOT_REDIS_URL`` is set. Raises RedisUnavailable.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        beside: tuple[PersonalData, ...] = ()
        if settings.redis_url:
            link = await stack.enter_async_context(RedisLink(settings.redis_url))
            store = TurnStore(link, cipher_of(settings), clock, state_ttl_s=settings.state_ttl_s)
            beside = (DialogueData(store),)
        yield await stack.enter_async_context(open_records(settings, clock, beside=beside))


def _by_meaning(http: aiohttp.ClientSession, nlu_url: str, clock: Clock) -> Retriever:
    # With numpy they take 11 MB, which a process that is asked nothing does without.
    from bot.knowledge.retrieval import HybridRetriever
    from bot.understanding.embedding import HttpEmbedding

    return HybridRetriever(HttpEmbedding(http, nlu_url, clock))


async def _bot(
    settings: Settings,
    records: Records,
    link: RedisLink,
    redis: Redis,
    stream: TaskStream,
    store: TurnStore,
    http: aiohttp.ClientSession,
    stack: AsyncExitStack,
) -> Bot:
    wechat = settings.wechat
    token = StableToken(redis, http, wechat.api_base, wechat.app_id, wechat.app_secret, records.clock)
    api = WeChatApi(http, token, wechat.api_base, wechat.app_id)
    catalog = load_catalog(settings.flows_dir)
    actions = action_table(records, PlatformPictures(api), catalog.words)
    validators = standard_validators()
    engine = Engine(catalog, validators, EngineSettings(draft_s=settings.state_ttl_s), actions=frozenset(actions))
    arrivals = Arrivals(link)
    await arrivals.start()
    stack.push_async_callback(arrivals.close)
    renderer = Renderer(catalog)
    conversation = Conversation(
        engine,
        renderer,
        actions,
        NluClient(http, settings.nlu_url, records.clock, timeout_s=settings.nlu_timeout_s),
        records.knowledge,
        InboxChats(records.inbox, RunningChats(records.database, records.clock), records.clock),
        records.followers,
        records.clock,
        nlu_budget_s=settings.nlu_timeout_s,
        job_reports=records.campaigns.reports,
    )
    turns = TurnService(
        store,
        arrivals,
        conversation,
        records.clock,
        link_choices=wechat.link_choices,
        answers=records.kept_answers,
    )
    codec = Codec(wechat.token, wechat.app_id, wechat.aes_keys, wechat.mode)
    batch_stream = TaskStream(settings.redis_url, name=BATCH_STREAM, at_a_time=BATCHES_AT_A_TIME)
    stack.push_async_callback(batch_stream.close)
    return Bot(
        records, link, redis, stream, batch_stream, api, codec, store, turns, actions, catalog, engine, renderer
    )
