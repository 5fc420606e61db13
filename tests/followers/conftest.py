"""The followers' services over each database."""

import pytest

from bot.followers.consents import ConsentService
from bot.followers.personal_data import FollowerData
from bot.followers.service import FollowerService
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
def followers(database: Database, cipher: FieldCipher, clock: MovedClock) -> FollowerService:
    return FollowerService(database, cipher, clock)


@pytest.fixture
def consents(database: Database, clock: MovedClock) -> ConsentService:
    return ConsentService(database, clock)


@pytest.fixture
def follower_data(
    database: Database, cipher: FieldCipher, followers: FollowerService, consents: ConsentService
) -> FollowerData:
    return FollowerData(database, cipher, followers=followers, consents=consents)
