"""Figures of cases read one index.

Step 0019, after 0018.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

FIGURED = [
    "topic",
    "contact_way",
    "outcome",
    "status",
    "is_group",
    "is_urgent",
    "people_count",
    "receipt",
]


def upgrade() -> None:
    op.create_index("ix_legal_cases_figures", "legal_cases", ["created_at", "county", *FIGURED])
    op.create_index("ix_legal_cases_county_figures", "legal_cases", ["county", "created_at", *FIGURED])


def downgrade() -> None:
    op.drop_index("ix_legal_cases_county_figures", "legal_cases")
    op.drop_index("ix_legal_cases_figures", "legal_cases")
