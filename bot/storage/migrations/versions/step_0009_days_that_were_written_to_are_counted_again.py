"""Days that were written to are counted again, by hour and certainty too, and who asked about a service is known.

Step 0009, after 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "report_askers",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("intent", sa.String(length=40), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("has_registered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("day", "intent", "openid", name=op.f("pk_report_askers")),
    )
    with op.batch_alter_table("report_askers", schema=None) as batch_op:
        batch_op.create_index("ix_report_askers_counted", ["intent", "day", "openid", "has_registered"], unique=False)
        batch_op.create_index(batch_op.f("ix_report_askers_openid"), ["openid"], unique=False)
        batch_op.create_index("ix_report_askers_undecided", ["intent", "has_registered", "until"], unique=False)

    op.create_table(
        "report_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("writes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_report_days")),
    )
    op.create_table(
        "turn_log_days",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("writes", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_turn_log_days")),
    )
    # What it holds is counted again from the log.
    op.drop_table("report_turn_hours")
    op.create_table(
        "report_turn_hours",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("certainty", sa.String(length=10), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "hour", "certainty", name=op.f("pk_report_turn_hours")),
    )

    with op.batch_alter_table("turn_log", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_turn_log_certainty"))
        batch_op.drop_index(batch_op.f("ix_turn_log_received_at"))
        batch_op.drop_index(batch_op.f("ix_turn_log_intent_received_at"))
        batch_op.create_index("ix_turn_log_intent_received_at", ["intent", "received_at", "openid"], unique=False)
        batch_op.create_index("ix_turn_log_counted", ["received_at", "intent", "certainty"], unique=False)

    # Every day that has turns counts as written to, so that the worker counts it.
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    day = "date(received_at, '+8 hours')" if on_sqlite else "(received_at AT TIME ZONE 'Asia/Shanghai')::date"
    op.execute(f"INSERT INTO turn_log_days (day, writes) SELECT DISTINCT {day}, 1 FROM turn_log")  # noqa: S608


def downgrade() -> None:
    with op.batch_alter_table("turn_log", schema=None) as batch_op:
        batch_op.drop_index("ix_turn_log_counted")
        batch_op.drop_index("ix_turn_log_intent_received_at")
        batch_op.create_index(batch_op.f("ix_turn_log_intent_received_at"), ["intent", "received_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_turn_log_received_at"), ["received_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_turn_log_certainty"), ["certainty"], unique=False)

    op.drop_table("report_turn_hours")
    op.create_table(
        "report_turn_hours",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("turns", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "hour", name=op.f("pk_report_turn_hours")),
    )
    op.drop_table("turn_log_days")
    op.drop_table("report_days")
    with op.batch_alter_table("report_askers", schema=None) as batch_op:
        batch_op.drop_index("ix_report_askers_undecided")
        batch_op.drop_index(batch_op.f("ix_report_askers_openid"))
        batch_op.drop_index("ix_report_askers_counted")

    op.drop_table("report_askers")
