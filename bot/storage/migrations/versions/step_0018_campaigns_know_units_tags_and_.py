"""Campaigns know units, tags and notifications.

Step 0018, after 0017.
"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


_BUTTONS = {
    "appointment": [
        {"id": "/word:确认到场", "label": "能来，确认"},
        {"id": "/flow:change_registration", "label": "改时间"},
        {"id": "/flow:cancel_registration", "label": "来不了，取消"},
    ],
    "opening": [{"id": "/word:菜单", "label": "现在报名"}],
}
"""What the worker put under each rule's text before rules held it themselves."""


def upgrade() -> None:
    with op.batch_alter_table("campaign_reports", schema=None) as batch_op:
        batch_op.add_column(sa.Column("openid", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("template_id", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("code", sa.Integer(), nullable=True))
        batch_op.create_index(
            "ix_campaign_reports_openid",
            ["openid"],
            unique=False,
            sqlite_where=sa.text("openid IS NOT NULL"),
            postgresql_where=sa.text("openid IS NOT NULL"),
        )

    with op.batch_alter_table("campaign_rules", schema=None) as batch_op:
        batch_op.add_column(sa.Column("choices", sa.JSON(), nullable=False, server_default="[]"))
    _keep_the_buttons()
    with op.batch_alter_table("campaign_rules", schema=None) as batch_op:
        batch_op.alter_column("choices", existing_type=sa.JSON(), existing_nullable=False, server_default=None)

    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.add_column(sa.Column("tag_name", sa.String(length=30), nullable=False, server_default=""))
    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.alter_column(
            "tag_name", existing_type=sa.String(length=30), existing_nullable=False, server_default=None
        )

    with op.batch_alter_table("followers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("unit", sa.String(length=80), nullable=True))
        batch_op.create_index(batch_op.f("ix_followers_unit"), ["unit"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("followers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_followers_unit"))
        batch_op.drop_column("unit")

    with op.batch_alter_table("campaigns", schema=None) as batch_op:
        batch_op.drop_column("tag_name")

    with op.batch_alter_table("campaign_rules", schema=None) as batch_op:
        batch_op.drop_column("choices")

    with op.batch_alter_table("campaign_reports", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_campaign_reports_openid",
            sqlite_where=sa.text("openid IS NOT NULL"),
            postgresql_where=sa.text("openid IS NOT NULL"),
        )
        batch_op.drop_column("code")
        batch_op.drop_column("template_id")
        batch_op.drop_column("openid")


def _keep_the_buttons() -> None:
    rules = sa.table("campaign_rules", sa.column("kind", sa.String), sa.column("choices", sa.JSON))
    for kind, choices in _BUTTONS.items():
        op.execute(rules.update().where(rules.c.kind == kind).values(choices=choices))
