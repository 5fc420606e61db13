"""Drafts at the platform are noted, consents in force are found by their purpose.

Step 0022, after 0021.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

IN_FORCE = sa.text("withdrawn_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "campaign_platform_drafts",
        sa.Column("media_id", sa.String(length=128), nullable=False),
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("media_id", name=op.f("pk_campaign_platform_drafts")),
    )
    op.create_index("ix_campaign_platform_drafts_made_at", "campaign_platform_drafts", ["made_at"])
    op.create_index(
        "ix_consents_in_force", "consents", ["purpose", "openid"], sqlite_where=IN_FORCE, postgresql_where=IN_FORCE
    )


def downgrade() -> None:
    op.drop_index("ix_consents_in_force", "consents")
    op.drop_index("ix_campaign_platform_drafts_made_at", "campaign_platform_drafts")
    op.drop_table("campaign_platform_drafts")
