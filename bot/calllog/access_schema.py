"""The tables of those who look at calls: their accounts, what lets them in, and what they looked at.

They stand in the call log's database, so that all processes of a service agree on them. Secrets are kept as hashes: a
password as argon2 has it, a token as SHA-256 in hexadecimal (it is random, so nothing slower is needed). Rows name an
account by its name: those of the configuration have no row in `accounts`.
"""

from sqlalchemy import Column, Index, Integer, Table, Text

from bot.calllog.schema import BigKey, Key, UtcDateTime, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("name", Key, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("password_set_at", UtcDateTime, nullable=False),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("token_hash", Key, nullable=False, unique=True),
    Column("account", Key, nullable=False),
    Column("password_mark", Text, nullable=False),  # of the password it began with: another one ends it
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
)
Index("ix_sign_ins_account", sign_ins.c.account, sign_ins.c.seen_at)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("token_hash", Key, nullable=False, unique=True),
    Column("account", Key, nullable=False, unique=True),  # a new link makes the one before useless
    Column("role", Text, nullable=False),
    Column("made_by", Key, nullable=False),  # "" at the first start
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
)
"""Whoever opens one of these sets the password of its account, once."""

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("token_hash", Key, nullable=False, unique=True),
    Column("name", Key, nullable=False),
    Column("role", Text, nullable=False),
    Column("made_by", Key, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
    Column("used_from", Text),
    Column("revoked_at", UtcDateTime),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("subject", Key, primary_key=True),  # an account or an address
    Column("failures", Integer, nullable=False),
    Column("last_at", UtcDateTime, nullable=False),
    Column("locked_until", UtcDateTime),
)
Index("ix_sign_in_failures_last", sign_in_failures.c.last_at)

access_log = Table(
    "access_log",
    metadata,
    Column("id", BigKey, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", Key, nullable=False),  # an account, or "token NAME"
    Column("role", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("what", Key, nullable=False),
    Column("call_id", Key),
    Column("detail", Text, nullable=False),
)
Index("ix_access_log_at", access_log.c.at, access_log.c.id)
Index("ix_access_log_call", access_log.c.call_id, access_log.c.at, access_log.c.id)
Index("ix_access_log_who", access_log.c.who, access_log.c.at, access_log.c.id)
