"""The answers of turns that wrote something are kept with what they wrote.

Step 0024, after 0023.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "turn_answers",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_turn_answers")),
    )
    op.create_index(op.f("ix_turn_answers_at"), "turn_answers", ["at"])
    op.create_index(op.f("ix_turn_answers_openid"), "turn_answers", ["openid"])


def downgrade() -> None:
    op.drop_index(op.f("ix_turn_answers_openid"), "turn_answers")
    op.drop_index(op.f("ix_turn_answers_at"), "turn_answers")
    op.drop_table("turn_answers")
