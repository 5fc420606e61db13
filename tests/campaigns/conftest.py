"""The services under test, on the database of the test."""

import pytest

from bot.campaigns.opt_outs import OptOuts
from bot.campaigns.planning import Planner
from bot.campaigns.progress import CampaignLists
from bot.campaigns.service import CampaignService
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock


@pytest.fixture
def audit(database: Database, cipher: FieldCipher, clock: MovedClock) -> AuditTrail:
    return AuditTrail(database, cipher, clock)


@pytest.fixture
def planner(database: Database, clock: MovedClock) -> Planner:
    return Planner(database, clock)


@pytest.fixture
def service(database: Database, clock: MovedClock, planner: Planner, audit: AuditTrail) -> CampaignService:
    return CampaignService(database, clock, planner=planner, trail=audit)


@pytest.fixture
def lists(database: Database, clock: MovedClock) -> CampaignLists:
    return CampaignLists(database, clock)


@pytest.fixture
def opt_outs(database: Database, clock: MovedClock) -> OptOuts:
    return OptOuts(database, clock)
