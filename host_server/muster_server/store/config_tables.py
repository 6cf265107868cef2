# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The configuration server's tables, as its newest migration leaves them."""

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    text,
)

HEAD = "0016"

metadata = MetaData()

profiles = Table(
    "profile",
    metadata,
    Column("name", Text, primary_key=True),
    Column("document", LargeBinary, nullable=False),  # sealed
    Column("updated_at", Float, nullable=False),
    Column("number", Integer),  # of the version that is in force; null: nobody has changed it
)

profile_versions = Table(
    "profile_version",
    metadata,
    Column("name", Text),
    Column("number", Integer),
    Column("document", LargeBinary, nullable=False),  # sealed
    Column("made_at", Float, nullable=False),
    # The number of the first of those that make the same configurations
    Column("effect", Integer, nullable=False),
    PrimaryKeyConstraint("name", "number"),
)

vendor_devices = Table(
    "vendor_device",
    metadata,
    Column("device_id", Text, primary_key=True),
    Column("secret", LargeBinary, nullable=False),  # sealed
    Column("nonce", Text, nullable=False),
    Column("seen_at", Float),
)

claims = Table(
    "claim",
    metadata,
    Column("id", Text, primary_key=True),
    Column("device_id", Text, nullable=False, index=True),
    Column("owner", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),  # sealed
    Column("profile", Text, ForeignKey("profile.name"), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),  # unproved, proved, released
    Column("nonce", Text, nullable=False),
    Column("originator", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("expires_at", Float),
    Column("window_open", Boolean, nullable=False),
    Column("window_until", Float),
    Column("version", Integer, nullable=False),
    Column("highest", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("progress", JSON, nullable=False),
    Column("last", JSON),
    Column("facts", JSON),
    Column("seen_at", Float),
    # a token that a platform was asked for, and whose answer has not come
    Column("asked", JSON(none_as_null=True)),
    Column("adoption", LargeBinary),  # sealed; null: made with the next version
    Column("runs", Integer),  # what its proved version was made from; null: nothing of its profile
)

Index(
    "claim_listed",
    *(claims.c[name] for name in ("owner", "device_id", "state", "status", "profile")),
    *(claims.c[name] for name in ("seen_at", "name")),
)
Index("claim_by_status", claims.c.owner, claims.c.status, claims.c.device_id, claims.c.state)
Index(
    "claim_by_profile", *(claims.c[n] for n in ("profile", "device_id", "state", "owner", "runs"))
)
Index("claim_by_runs", *(claims.c[n] for n in ("profile", "owner", "runs", "state")))
Index(
    "claim_by_seen", *(claims.c[n] for n in ("owner", "status", "seen_at", "device_id", "state"))
)
Index("claim_by_name", *(claims.c[n] for n in ("owner", "name", "device_id", "state")))
Index(
    "claim_by_heard",
    claims.c.owner,
    text("(-coalesce(seen_at, 0))"),
    claims.c.device_id,
    claims.c.state,
)
Index("claim_by_end", claims.c.expires_at)
Index("claim_by_code", claims.c.owner, text("json_extract(last, '$.code')"), claims.c.device_id)

# For the next claims: a platform may be asked for these, and none of them is a device's.
reserved_accounts = Table(
    "reserved_account",
    metadata,
    Column("originator", Text, primary_key=True),
    Column("token_id", Text, nullable=False),  # of its first token
)

# Of an owner's device, whichever of their claims of it counts.
device_groups = Table(
    "device_group",
    metadata,
    Column("owner", Text),
    Column("device_id", Text),
    Column("name", Text, nullable=False),  # e.g. "hall 3"
    PrimaryKeyConstraint("owner", "device_id"),
)
Index("device_group_by_name", *(device_groups.c[n] for n in ("owner", "name", "device_id")))

device_tags = Table(
    "device_tag",
    metadata,
    Column("owner", Text),
    Column("device_id", Text),
    Column("name", Text),
    PrimaryKeyConstraint("owner", "device_id", "name"),
)
Index("device_tag_by_name", *(device_tags.c[n] for n in ("owner", "name", "device_id")))

# A version of a profile on its way to the devices that are configured from it.
rollouts = Table(
    "rollout",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("state", Text, nullable=False),  # filling, running, waiting, stopped, done, aborted
    Column("wave", Integer, nullable=False),  # that is under way, from 1 on
    Column("waves", JSON, nullable=False),
    Column("is_automatic", Integer, nullable=False),
    Column("most_failed", Integer, nullable=False),
    Column("need_percent", Integer, nullable=False),
    Column("forgiven", Integer, nullable=False),  # failures that somebody has seen and gone on
    Column("reason", Text, nullable=False),  # of a stop: failures, hand
    Column("by_whom", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
)
Index("rollout_of_owner", rollouts.c.owner, rollouts.c.created_at)
Index("rollout_by_state", rollouts.c.state)

rollout_devices = Table(
    "rollout_device",
    metadata,
    Column("rollout_id", Text, ForeignKey("rollout.id", ondelete="CASCADE")),
    Column("claim_id", Text, ForeignKey("claim.id", ondelete="CASCADE")),
    Column("wave", Integer, nullable=False),
    Column("state", Text, nullable=False),  # waiting, offered, held, succeeded, failed
    Column("above", Integer, nullable=False),  # the newest version when it was offered
    Column("seen_at", Float, nullable=False),  # of the claim, when it was looked at last
    Column("device_id", Text, nullable=False),  # of the claim
    Column("failure", Text),  # JSON: the attempt that failed
    PrimaryKeyConstraint("rollout_id", "claim_id"),
)
Index("rollout_device_by_claim", rollout_devices.c.claim_id)
Index("rollout_device_by_state", *(rollout_devices.c[n] for n in ("rollout_id", "state", "wave")))
Index(
    "rollout_device_listed", *(rollout_devices.c[n] for n in ("rollout_id", "device_id", "state"))
)

# Whoever works at something that only one may do: until then, unless renewed.
leases = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Float, nullable=False),
)

# Something that is done to many devices, a few at a time.
tasks = Table(
    "task",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("kind", Text, nullable=False),  # claim, change
    Column("state", Text, nullable=False),  # filling, looking, looked, running, done, expired
    Column("arguments", JSON, nullable=False),
    Column("by_whom", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("changed_at", Float, nullable=False),
    Column("total", Integer, nullable=False),
)
Index("task_of_owner", tasks.c.owner, tasks.c.created_at)
Index("task_by_state", tasks.c.state, tasks.c.created_at)

task_rows = Table(
    "task_row",
    metadata,
    Column("task_id", Text, ForeignKey("task.id", ondelete="CASCADE")),
    Column("number", Integer),  # of the line in the table that it came in
    Column("stage", Integer, nullable=False),  # 0: new, 1: tried, 2: done
    Column("device_id", Text),
    Column("name", Text, nullable=False),
    Column("label", LargeBinary),  # sealed; null once it is done
    Column("verdict", Text, nullable=False),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("task_id", "number"),
)

# How steps of onboardings ended, counted when they are told.
step_tallies = Table(
    "step_tally",
    metadata,
    Column("owner", Text),
    Column("day", Integer),  # since 1970-01-01, UTC
    Column("step", Integer),
    Column("code", Text),
    Column("magnitude", Integer),  # n: less than 2^n ms
    Column("part", Integer),  # of so many that are counted beside each other
    Column("times", Integer, nullable=False),
    PrimaryKeyConstraint("owner", "day", "step", "code", "magnitude", "part"),
)

key_checks = Table(
    "key_check",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # nothing, so that a wrong key is noticed
)

versions = Table(
    "version",
    metadata,
    Column("claim_id", Text, ForeignKey("claim.id", ondelete="CASCADE")),
    Column("number", Integer),
    Column("document", LargeBinary, nullable=False),  # sealed
    Column("token_id", Text),
    Column("handed_out_at", Float),
    Column("proved_at", Float),
    Column("handed_to", JSON(none_as_null=True)),  # under the label: [[address, chip], …]
    Column("made_from", Integer),  # the effect of its profile's version; null: an older release's
    PrimaryKeyConstraint("claim_id", "number"),
)

contacts = Table(
    "contact",
    metadata,
    Column("claim_id", Text, ForeignKey("claim.id", ondelete="CASCADE")),
    Column("at", Float, nullable=False),
    Column("address", Text, nullable=False),
    Column("k", Text, nullable=False),  # whose key it was: "label", or a version
    Column("state", Text, nullable=False),  # blank, trial, committed
    Column("is_believed", Boolean),
    Column("next_at", Float),  # when it was told to come again
    PrimaryKeyConstraint("claim_id", "is_believed"),
)

readers = Table(
    "reader",
    metadata,
    Column("owner", Text),
    Column("name", Text),  # ":portal": this server's own
    Column("originator", Text, nullable=False),
    Column("token", LargeBinary),  # sealed; only of this server's own
    Column("created_at", Float, nullable=False),
    PrimaryKeyConstraint("owner", "name"),
)

seen_messages = Table(
    "seen_message",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("claim_id", Text, ForeignKey("claim.id", ondelete="CASCADE")),
    Column("digest", LargeBinary, nullable=False),
    UniqueConstraint("claim_id", "digest"),
)

jobs = Table(
    "chore",  # the table keeps the name under which it was released
    metadata,
    Column("id", Integer, primary_key=True),
    Column("deed", Text, nullable=False),
    Column("arguments", JSON, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("tries", Integer, nullable=False),
)

events = Table(
    "event",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device_id", Text, nullable=False, index=True),
    Column("owner", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("code", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

bundles = Table(
    "bundle",
    metadata,
    Column("claim_id", Text, ForeignKey("claim.id", ondelete="CASCADE")),
    Column("version", Integer),
    Column("digest", LargeBinary, nullable=False),  # SHA-256 of the text
    Column("text", LargeBinary),  # sealed; gone when a newer one is there
    Column("made_at", Float, nullable=False),
    Column("expires_at", Integer),
    Column("handed_out_at", Float),
    Column("receipt_at", Float),
    Column("outcome", Text),  # what the receipt said
    Column("seen_at", Float),  # when its device registered at the platform
    PrimaryKeyConstraint("claim_id", "version"),
)

device_changes = Table(
    "device_change",
    metadata,
    Column("claim_id", Text, ForeignKey("claim.id", ondelete="CASCADE")),
    Column("field", Text),
    Column("document", LargeBinary, nullable=False),  # sealed: the value, and what it was made on
    Column("at", Float, nullable=False),
    Column("state", Text, nullable=False),  # wanted, runs, refused, failed, replaced
    Column("version", Integer),
    Column("detail", Text, nullable=False),
    PrimaryKeyConstraint("claim_id", "field"),
)

# Of devices that are gone, too, until their platform has heard of it.
told_objects = Table(
    "told_object",
    metadata,
    Column("url", Text),
    Column("device_id", Text),
    Column("claim_id", Text, nullable=False),
    Column("originator", Text, nullable=False),
    Column("kind", Text, nullable=False),  # nodes, containers
    Column("told", LargeBinary, nullable=False),  # sealed, for digests of passwords are in it
    Column("looked_at", Float, nullable=False),
    PrimaryKeyConstraint("url", "device_id"),
)
Index("told_object_by_look", told_objects.c.url, told_objects.c.looked_at)

history = Table(
    "history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device_id", Text, nullable=False, index=True),
    Column("owner", Text, nullable=False),
    Column("source", Text, nullable=False),  # device, portal, config
    Column("at", Float, nullable=False),
    Column("until", Float, nullable=False),  # of the last one, if it came several times in a row
    Column("times", Integer, nullable=False),
    Column("what", Text, nullable=False),
    Column("step", Integer),
    Column("code", Text, nullable=False),
    Column("ms", Integer),
    Column("detail", Text, nullable=False),
)
