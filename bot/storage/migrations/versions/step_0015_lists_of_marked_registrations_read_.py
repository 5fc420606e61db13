"""Lists of marked registrations read their index alone.

Step 0015, after 0014.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_MARKS = ("has_findings", "has_duplicates", "needs_review")
_COLUMNS = ("status", "created_at", "id", "county", "programme_id")


def upgrade() -> None:
    for mark in _MARKS:
        _replace(mark, [*_COLUMNS, mark])


def downgrade() -> None:
    for mark in _MARKS:
        _replace(mark, [*_COLUMNS])


def _replace(mark: str, columns: list[str]) -> None:
    name = f"ix_registrations_{mark}"
    op.drop_index(name, table_name="registrations")
    op.create_index(
        name,
        "registrations",
        columns,
        unique=False,
        sqlite_where=sa.text(f"{mark} IS 1"),
        postgresql_where=sa.text(f"{mark} IS TRUE"),
    )
