"""Screenings are counted in one index.

Step 0023, after 0022.
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

SCREENED = sa.text("kind = 'health_screening'")


def upgrade() -> None:
    op.create_index(
        "ix_registrations_screened",
        "registrations",
        ["programme_id", "status", "county", "kind"],
        sqlite_where=SCREENED,
        postgresql_where=SCREENED,
    )


def downgrade() -> None:
    op.drop_index("ix_registrations_screened", "registrations")
