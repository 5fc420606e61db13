"""Tags tell how many were read, pictures when they were last used.

Step 0020, after 0019.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("campaign_platform_tags", schema=None) as batch_op:
        batch_op.add_column(sa.Column("seen_at", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("pulled", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("reading", sa.String(length=40), nullable=True))
    with op.batch_alter_table("campaign_pictures", schema=None) as batch_op:
        batch_op.add_column(sa.Column("used_at", MOMENT, nullable=True))
        batch_op.add_column(sa.Column("leaving_at", MOMENT, nullable=True))
    _fill()
    with op.batch_alter_table("campaign_platform_tags", schema=None) as batch_op:
        batch_op.alter_column("seen_at", existing_type=MOMENT, nullable=False)
        batch_op.alter_column("pulled", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
    with op.batch_alter_table("campaign_pictures", schema=None) as batch_op:
        batch_op.alter_column("used_at", existing_type=MOMENT, nullable=False)
        batch_op.create_index("ix_campaign_pictures_used_at", ["used_at"], unique=False)
        batch_op.create_index(
            "ix_campaign_pictures_leaving",
            ["file_id"],
            unique=False,
            sqlite_where=sa.text("leaving_at IS NOT NULL"),
            postgresql_where=sa.text("leaving_at IS NOT NULL"),
        )


def downgrade() -> None:
    with op.batch_alter_table("campaign_pictures", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_campaign_pictures_leaving",
            sqlite_where=sa.text("leaving_at IS NOT NULL"),
            postgresql_where=sa.text("leaving_at IS NOT NULL"),
        )
        batch_op.drop_index("ix_campaign_pictures_used_at")
        batch_op.drop_column("leaving_at")
        batch_op.drop_column("used_at")
    with op.batch_alter_table("campaign_platform_tags", schema=None) as batch_op:
        batch_op.drop_column("reading")
        batch_op.drop_column("pulled")
        batch_op.drop_column("seen_at")


def _fill() -> None:
    """Begin the week of every picture now; a tag that was read holds as many as were counted then."""
    tags = sa.table(
        "campaign_platform_tags",
        sa.column("seen_at", MOMENT),
        sa.column("followers", sa.Integer),
        sa.column("pulled", sa.Integer),
        sa.column("pulled_at", MOMENT),
    )
    pictures = sa.table("campaign_pictures", sa.column("used_at", MOMENT))
    now = sa.literal(datetime.now(UTC), MOMENT)
    op.execute(tags.update().values(seen_at=sa.func.coalesce(tags.c.pulled_at, now)))
    op.execute(tags.update().where(tags.c.pulled_at.is_not(None)).values(pulled=tags.c.followers))
    op.execute(pictures.update().values(used_at=now))
