"""The fixtures of every other test keep what they promise."""

import pytest
from sqlalchemy import text

from bot.storage.sql import Base, Database


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_gets_all_tables_and_no_rows(database: Database, turn: int) -> None:
    table = next(table for table in Base.metadata.sorted_tables if table.name == "followers")
    async with database.reading() as session:
        assert (await session.execute(table.select())).all() == []
    async with database.transaction() as session:
        await session.execute(text("CREATE TABLE IF NOT EXISTS marks (turn INTEGER)"))
        await session.execute(text("INSERT INTO marks VALUES (:turn)"), {"turn": turn})
    async with database.reading() as session:
        assert (await session.execute(text("SELECT turn FROM marks"))).scalars().all() == [turn]
