"""Campaigns publish articles.

Step 0025, after 0024.
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

IS_OPEN = sa.text("state IN ('waiting', 'publishing', 'unknown')")
NOT_APPLIED = sa.text("applied_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "campaign_publications",
        sa.Column("campaign_id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("media_id", sa.String(length=128), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("publish_id", sa.String(length=64), nullable=True),
        sa.Column("ask_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("article_id", sa.String(length=128), nullable=True),
        sa.Column("urls", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("failed", sa.JSON(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaigns.id"], name=op.f("fk_campaign_publications_campaign_id_campaigns")
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_publications")),
    )
    op.create_index(
        "ix_campaign_publications_open",
        "campaign_publications",
        ["state"],
        sqlite_where=IS_OPEN,
        postgresql_where=IS_OPEN,
    )
    op.create_index(op.f("ix_campaign_publications_publish_id"), "campaign_publications", ["publish_id"])
    op.create_index(op.f("ix_campaign_publications_article_id"), "campaign_publications", ["article_id"])
    op.create_table(
        "campaign_publish_reports",
        sa.Column("publish_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("article_id", sa.String(length=128), nullable=True),
        sa.Column("urls", sa.JSON(), nullable=False),
        sa.Column("failed", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("publish_id", "status", name=op.f("pk_campaign_publish_reports")),
    )
    op.create_index(
        "ix_campaign_publish_reports_open",
        "campaign_publish_reports",
        ["at"],
        sqlite_where=NOT_APPLIED,
        postgresql_where=NOT_APPLIED,
    )


def downgrade() -> None:
    op.drop_table("campaign_publish_reports")
    op.drop_table("campaign_publications")
