"""Waiting cases are paged in their order.

Step 0021, after 0020.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

LAST_RANK = 399991231
PENDING = sa.text("status = 'pending'")
BANDS = "(CASE WHEN is_urgent THEN 0 ELSE 200000000 END) + (CASE WHEN is_group THEN 0 ELSE 100000000 END)"
RANK = {
    "sqlite": f"{BANDS} + COALESCE(CAST(replace(nearest_due_on, '-', '') AS INTEGER), 99991231)",
    "postgresql": f"{BANDS} + COALESCE(CAST(to_char(nearest_due_on, 'YYYYMMDD') AS INTEGER), 99991231)",
}


def upgrade() -> None:
    with op.batch_alter_table("legal_cases") as table:
        table.add_column(sa.Column("waiting_rank", sa.Integer(), nullable=False, server_default=str(LAST_RANK)))
    cases = sa.table("legal_cases", sa.column("waiting_rank", sa.Integer))
    op.execute(cases.update().values(waiting_rank=sa.literal_column(RANK[op.get_bind().dialect.name])))
    for name, columns in (
        ("ix_legal_cases_waiting", ["waiting_rank", "id"]),
        ("ix_legal_cases_county_waiting", ["county", "waiting_rank", "id"]),
    ):
        op.create_index(name, "legal_cases", columns, sqlite_where=PENDING, postgresql_where=PENDING)


def downgrade() -> None:
    op.drop_index("ix_legal_cases_county_waiting", "legal_cases")
    op.drop_index("ix_legal_cases_waiting", "legal_cases")
    with op.batch_alter_table("legal_cases") as table:
        table.drop_column("waiting_rank")
