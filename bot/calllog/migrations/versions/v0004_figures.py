"""What the overview reads of many calls at once, in one index."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FIGURES = ("bot", "end_reason", "duration_ms", "interruptions", "reply_p50_ms", "reply_p95_ms", "cost_microdollars")


def upgrade() -> None:
    op.create_index("ix_calls_figures", "calls", ["place", *FIGURES])


def downgrade() -> None:
    op.drop_index("ix_calls_figures", "calls")
