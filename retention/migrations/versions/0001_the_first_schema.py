"""The first schema."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from retention.audit.tables import APPEND_ONLY
from retention.database import make_append_only

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("tag", AutoString(), nullable=False),
        sa.Column("actor", AutoString(), nullable=False),
        sa.Column("subject", AutoString(), nullable=False),
        sa.Column("purpose", AutoString(), nullable=False),
        sa.Column("detail", AutoString(), nullable=False),
        sa.Column("previous", AutoString(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(op.f("ix_audit_entry_subject"), "audit_entry", ["subject"], unique=False)
    op.create_index(op.f("ix_audit_entry_tag"), "audit_entry", ["tag"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "audit_root",
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("signed_at", UTCDateTime(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("on"),
    )
    op.create_table(
        "cohort",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("class_name", AutoString(), nullable=False),
        sa.Column("zone", AutoString(), nullable=False),
        sa.Column("trigger_on", sa.Date(), nullable=True),
        sa.Column("reference", AutoString(), nullable=False),
        sa.Column("key_id", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("expired_at", UTCDateTime(), nullable=True),
        sa.Column("run_id", AutoString(), nullable=True),
        sa.CheckConstraint("state in ('active', 'expiring', 'expired')", name="cohort_state"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_id"),
        sa.UniqueConstraint("name"),
    )
    op.create_index("cohort_by_day", "cohort", ["state", "class_name", "zone", "trigger_on"], unique=False)
    op.create_table(
        "correction",
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("request_id", AutoString(), nullable=False),
        sa.Column("receipt", AutoString(), nullable=False),
        sa.Column("particulars", sa.JSON(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor", AutoString(), nullable=False),
        sa.Column("approved_by", AutoString(), nullable=False),
        sa.Column("told_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("recording_id", "number"),
    )
    op.create_index(op.f("ix_correction_request_id"), "correction", ["request_id"], unique=False)
    op.create_table(
        "destruction",
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("spans", sa.JSON(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("planned_at", UTCDateTime(), nullable=False),
        sa.Column("planned_by", AutoString(), nullable=False),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("approved_by", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("old_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("old_size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("new_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("new_size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("how", sa.JSON(), nullable=False),
        sa.Column("destroyed_at", UTCDateTime(), nullable=True),
        sa.Column("destroyed_by", AutoString(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "state in ('planned', 'started', 'destroyed', 'finished')", name="destruction_state"
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index(op.f("ix_destruction_recording_id"), "destruction", ["recording_id"], unique=False)
    op.create_index(op.f("ix_destruction_state"), "destruction", ["state"], unique=False)
    op.create_table(
        "disclosure",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("request_id", AutoString(), nullable=False),
        sa.Column("route", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by", AutoString(), nullable=False),
        sa.Column("package_id", AutoString(), nullable=False),
        sa.Column("sha256", AutoString(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("archive_sha256", AutoString(), nullable=False),
        sa.Column("link_id", AutoString(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=True),
        sa.Column("delivered_at", UTCDateTime(), nullable=True),
        sa.Column("in_time", sa.Boolean(), nullable=True),
        sa.Column("receipt", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_disclosure_request_id"), "disclosure", ["request_id"], unique=False)
    op.create_index(op.f("ix_disclosure_state"), "disclosure", ["state"], unique=False)
    op.create_table(
        "disposal_approval",
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("cohorts", sa.JSON(), nullable=False),
        sa.Column("planned_at", UTCDateTime(), nullable=False),
        sa.Column("planned_by", AutoString(), nullable=False),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("approved_by", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_table(
        "disposal_run",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("on", sa.Date(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("plan", sa.JSON(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("disposed", sa.Integer(), nullable=False),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("awaiting_approval", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("schedule_version", sa.Integer(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("started_by", AutoString(), nullable=False),
        sa.Column("keys_destroyed_at", UTCDateTime(), nullable=True),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("tripped", sa.JSON(), nullable=False),
        sa.Column("resets", sa.JSON(), nullable=False),
        sa.Column("reset_used", sa.Boolean(), nullable=False),
        sa.Column("certificate", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "on", "attempt", name="one_night_a_date"),
    )
    op.create_index(op.f("ix_disposal_run_state"), "disposal_run", ["state"], unique=False)
    op.create_table(
        "do_not_record",
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", UTCDateTime(), nullable=False),
        sa.Column("added_by", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("blind"),
    )
    op.create_table(
        "entrustee",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("contract", AutoString(), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=False),
        sa.Column("sub_entrustees", sa.JSON(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("added_at", UTCDateTime(), nullable=False),
        sa.Column("added_by", AutoString(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "hold",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("owner", AutoString(), nullable=False),
        sa.Column("review_on", sa.Date(), nullable=False),
        sa.Column("key_id", AutoString(), nullable=False),
        sa.Column("suspends_use", sa.Boolean(), nullable=False),
        sa.Column("criteria", sa.JSON(), nullable=False),
        sa.Column("placed_at", UTCDateTime(), nullable=False),
        sa.Column("placed_by", AutoString(), nullable=False),
        sa.Column("lifted_at", UTCDateTime(), nullable=True),
        sa.Column("lifted_by", AutoString(), nullable=False),
        sa.Column("lift_reason", AutoString(), nullable=False),
        sa.Column("key_destroyed_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_id"),
    )
    op.create_index(
        "hold_in_force",
        "hold",
        ["id"],
        unique=False,
        sqlite_where=sa.text("lifted_at IS NULL"),
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "hold_drill",
        sa.Column("hold_id", AutoString(), nullable=False),
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("drilled_at", UTCDateTime(), nullable=False),
        sa.Column("drilled_by", AutoString(), nullable=False),
        sa.Column("outcome", AutoString(), nullable=False),
        sa.Column("what", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", "recording_id"),
    )
    op.create_table(
        "hold_match",
        sa.Column("hold_id", AutoString(), nullable=False),
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("hold_id", "recording_id"),
    )
    op.create_index(op.f("ix_hold_match_recording_id"), "hold_match", ["recording_id"], unique=False)
    op.create_table(
        "identifier",
        sa.Column("blind", sa.LargeBinary(), nullable=False),
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("blind", "recording_id"),
    )
    op.create_index(op.f("ix_identifier_recording_id"), "identifier", ["recording_id"], unique=False)
    op.create_table(
        "intake",
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("writer", AutoString(), nullable=False),
        sa.Column("began_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("recording_id"),
    )
    op.create_index(op.f("ix_intake_writer"), "intake", ["writer"], unique=False)
    op.create_table(
        "lost_request",
        sa.Column("receipt", AutoString(), nullable=False),
        sa.Column("request_id", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("receipt"),
    )
    op.create_table(
        "object",
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("role", AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recording_id", "role"),
    )
    op.create_table(
        "provision_block",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("recording_id", AutoString(), nullable=True),
        sa.Column("blind", sa.LargeBinary(), nullable=True),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("placed_at", UTCDateTime(), nullable=False),
        sa.Column("placed_by", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_provision_block_blind"), "provision_block", ["blind"], unique=False)
    op.create_index(
        op.f("ix_provision_block_recording_id"), "provision_block", ["recording_id"], unique=False
    )
    op.create_table(
        "quarantine",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("code", AutoString(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("source_id", AutoString(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("key_id", AutoString(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("stored_bytes", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("decided_by", AutoString(), nullable=False),
        sa.Column("recording_id", AutoString(), nullable=True),
        sa.CheckConstraint("state in ('waiting', 'released', 'rejected')", name="quarantine_state"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key_id"),
    )
    op.create_index(op.f("ix_quarantine_fingerprint"), "quarantine", ["fingerprint"], unique=False)
    op.create_index(op.f("ix_quarantine_state"), "quarantine", ["state"], unique=False)
    op.create_table(
        "reasons",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_table(
        "request_match",
        sa.Column("request_id", AutoString(), nullable=False),
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("is_left_out", sa.Boolean(), nullable=False),
        sa.Column("is_refused", sa.Boolean(), nullable=False),
        sa.Column("is_gone", sa.Boolean(), nullable=False),
        sa.Column("run_id", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "recording_id"),
    )
    op.create_index(op.f("ix_request_match_recording_id"), "request_match", ["recording_id"], unique=False)
    op.create_table(
        "request_note",
        sa.Column("request_id", AutoString(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("actor", AutoString(), nullable=False),
        sa.Column("about", AutoString(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("request_id", "position"),
    )
    op.create_table(
        "rulebook_version",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("text", AutoString(), nullable=False),
        sa.Column("file_name", AutoString(), nullable=False),
        sa.Column("applied_at", UTCDateTime(), nullable=False),
        sa.Column("applied_by", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "schedule_plan",
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("text", AutoString(), nullable=False),
        sa.Column("file_name", AutoString(), nullable=False),
        sa.Column("reason", AutoString(), nullable=False),
        sa.Column("impact", sa.JSON(), nullable=False),
        sa.Column("planned_at", UTCDateTime(), nullable=False),
        sa.Column("planned_by", AutoString(), nullable=False),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("approved_by", AutoString(), nullable=False),
        sa.Column("cool_off_until", UTCDateTime(), nullable=True),
        sa.Column("cancelled_at", UTCDateTime(), nullable=True),
        sa.Column("cancelled_by", AutoString(), nullable=False),
        sa.Column("applied_at", UTCDateTime(), nullable=True),
        sa.Column("applied_by", AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("rewrapped", sa.Integer(), nullable=False),
        sa.Column("move_id", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.CheckConstraint(
            "state in ('planned', 'approved', 'moving', 'applied', 'cancelled')", name="schedule_plan_state"
        ),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index(op.f("ix_schedule_plan_state"), "schedule_plan", ["state"], unique=False)
    op.create_table(
        "schedule_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("text", AutoString(), nullable=False),
        sa.Column("file_name", AutoString(), nullable=False),
        sa.Column("planned_by", AutoString(), nullable=False),
        sa.Column("approved_by", AutoString(), nullable=False),
        sa.Column("applied_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("version"),
    )
    op.create_table(
        "source",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("site", AutoString(), nullable=False),
        sa.Column("zone", AutoString(), nullable=False),
        sa.Column("area", AutoString(), nullable=False),
        sa.Column("owner", AutoString(), nullable=False),
        sa.Column("notice", AutoString(), nullable=False),
        sa.Column("purposes", sa.JSON(), nullable=False),
        sa.Column("clock_error_s", sa.Float(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("mount", AutoString(), nullable=False),
        sa.Column("raw_format", AutoString(), nullable=False),
        sa.Column("longest_s", sa.Float(), nullable=False),
        sa.Column("registered_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "store",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("object_store_id", AutoString(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("controller_zone", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "tombstone",
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("run_id", AutoString(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("leaf", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("recording_id"),
        sa.UniqueConstraint("run_id", "position", name="tombstone_position"),
    )
    op.create_table(
        "wrap",
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("key_id", AutoString(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("recording_id", "key_id"),
    )
    op.create_table(
        "lot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("signature", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("site", AutoString(), nullable=False),
        sa.Column("zone", AutoString(), nullable=False),
        sa.Column("area", AutoString(), nullable=False),
        sa.Column("reasons_id", sa.Integer(), nullable=False),
        sa.Column("holds", sa.Integer(), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("run_id", AutoString(), nullable=True),
        sa.Column("living", sa.Integer(), nullable=False),
        sa.Column("recordings", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["reasons_id"], ["reasons.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("signature"),
    )
    op.create_index(op.f("ix_lot_reasons_id"), "lot", ["reasons_id"], unique=False)
    op.create_index(op.f("ix_lot_run_id"), "lot", ["run_id"], unique=False)
    op.create_index(
        "lot_without_reason",
        "lot",
        ["reasons_id"],
        unique=False,
        sqlite_where=sa.text("living = 0 and recordings > 0"),
        postgresql_where=sa.text("living = 0 and recordings > 0"),
    )
    op.create_table(
        "provision",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("digest", AutoString(), nullable=False),
        sa.Column("stage", AutoString(), nullable=False),
        sa.Column("basis", AutoString(), nullable=False),
        sa.Column("rulebook_version", sa.Integer(), nullable=False),
        sa.Column("entrustee_id", AutoString(), nullable=True),
        sa.Column("recipient", sa.LargeBinary(), nullable=False),
        sa.Column("proposal_id", AutoString(), nullable=False),
        sa.Column("record_id", AutoString(), nullable=False),
        sa.Column("proposed_at", UTCDateTime(), nullable=False),
        sa.Column("proposed_by", AutoString(), nullable=False),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("approved_by", AutoString(), nullable=False),
        sa.Column("handed_over_at", UTCDateTime(), nullable=True),
        sa.Column("handed_over_by", AutoString(), nullable=False),
        sa.Column("sha256", AutoString(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["entrustee_id"], ["entrustee.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
    )
    op.create_index(op.f("ix_provision_recipient"), "provision", ["recipient"], unique=False)
    op.create_index(op.f("ix_provision_stage"), "provision", ["stage"], unique=False)
    op.create_table(
        "reason",
        sa.Column("cohort_id", sa.Integer(), nullable=False),
        sa.Column("reasons_id", sa.Integer(), nullable=False),
        sa.Column("purpose", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["cohort_id"], ["cohort.id"]),
        sa.ForeignKeyConstraint(["reasons_id"], ["reasons.id"]),
        sa.PrimaryKeyConstraint("cohort_id", "reasons_id", "purpose"),
    )
    op.create_index(op.f("ix_reason_reasons_id"), "reason", ["reasons_id"], unique=False)
    op.create_table(
        "request",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("receipt", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("stage", AutoString(), nullable=False),
        sa.Column("outcome", AutoString(), nullable=False),
        sa.Column("language", AutoString(), nullable=False),
        sa.Column("by_agent", sa.Boolean(), nullable=False),
        sa.Column("rulebook_version", sa.Integer(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("filed_by", AutoString(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("extended_from", sa.Date(), nullable=True),
        sa.Column("file_id", AutoString(), nullable=False),
        sa.Column("methods", sa.JSON(), nullable=False),
        sa.Column("grounds", sa.JSON(), nullable=False),
        sa.Column("identified_by", AutoString(), nullable=False),
        sa.Column("decided_by", AutoString(), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("approved_by", AutoString(), nullable=False),
        sa.Column("approved_at", UTCDateTime(), nullable=True),
        sa.Column("effect", sa.JSON(), nullable=False),
        sa.Column("delivered_at", UTCDateTime(), nullable=True),
        sa.Column("closed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["rulebook_version"], ["rulebook_version.version"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("file_id"),
        sa.UniqueConstraint("receipt"),
    )
    op.create_index(op.f("ix_request_stage"), "request", ["stage"], unique=False)
    op.create_table(
        "lot_hold",
        sa.Column("hold_id", AutoString(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"]),
        sa.PrimaryKeyConstraint("hold_id", "lot_id"),
    )
    op.create_index(op.f("ix_lot_hold_lot_id"), "lot_hold", ["lot_id"], unique=False)
    op.create_table(
        "provision_item",
        sa.Column("provision_id", AutoString(), nullable=False),
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=True),
        sa.Column("until_us", sa.BigInteger(), nullable=True),
        sa.Column("form", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["provision_id"], ["provision.id"]),
        sa.PrimaryKeyConstraint("provision_id", "recording_id"),
    )
    op.create_index(op.f("ix_provision_item_recording_id"), "provision_item", ["recording_id"], unique=False)
    op.create_table(
        "recording",
        sa.Column("id", AutoString(), nullable=False),
        sa.Column("source_id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("native_index", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("ended_at", UTCDateTime(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("claimed_start", AutoString(), nullable=False),
        sa.Column("time_basis", AutoString(), nullable=False),
        sa.Column("state", AutoString(), nullable=False),
        sa.Column("lot_id", sa.Integer(), nullable=True),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("personal", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint(
            "state in ('received', 'quarantined', 'sealed', 'disposing', 'disposed')", name="recording_state"
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_id", "native_index", "sha256", name="recording_once"),
    )
    op.create_index(op.f("ix_recording_lot_id"), "recording", ["lot_id"], unique=False)
    op.create_index("recording_by_time", "recording", ["source_id", "started_at"], unique=False)
    op.create_index(
        "recording_going",
        "recording",
        ["id"],
        unique=False,
        sqlite_where=sa.text("state = 'disposing'"),
        postgresql_where=sa.text("state = 'disposing'"),
    )
    op.create_table(
        "request_hold",
        sa.Column("hold_id", AutoString(), nullable=False),
        sa.Column("request_id", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("hold_id"),
    )
    op.create_index(op.f("ix_request_hold_request_id"), "request_hold", ["request_id"], unique=False)
    op.create_table(
        "request_paper",
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("request_id", AutoString(), nullable=False),
        sa.Column("area", AutoString(), nullable=False),
        sa.Column("label", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("recording_id"),
    )
    op.create_index(op.f("ix_request_paper_request_id"), "request_paper", ["request_id"], unique=False)
    op.create_table(
        "request_rendition",
        sa.Column("request_id", AutoString(), nullable=False),
        sa.Column("recording_id", AutoString(), nullable=False),
        sa.Column("kind", AutoString(), nullable=False),
        sa.Column("review_id", AutoString(), nullable=False),
        sa.Column("open_points", sa.JSON(), nullable=False),
        sa.Column("proposed_by", AutoString(), nullable=False),
        sa.Column("proposed_at", UTCDateTime(), nullable=False),
        sa.Column("reviewed_by", AutoString(), nullable=False),
        sa.Column("reviewed_at", UTCDateTime(), nullable=True),
        sa.Column("hands", sa.JSON(), nullable=False),
        sa.Column("rendition_id", AutoString(), nullable=False),
        sa.Column("report_id", AutoString(), nullable=False),
        sa.Column("page_id", AutoString(), nullable=False),
        sa.Column("suffix", AutoString(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("summary", sa.JSON(), nullable=False),
        sa.Column("rendered_by", AutoString(), nullable=False),
        sa.Column("rendered_at", UTCDateTime(), nullable=True),
        sa.Column("decided_sha256", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"]),
        sa.PrimaryKeyConstraint("request_id", "recording_id"),
    )
    op.create_index(
        op.f("ix_request_rendition_recording_id"), "request_rendition", ["recording_id"], unique=False
    )
    for table in APPEND_ONLY:
        make_append_only(op.get_bind(), table)
