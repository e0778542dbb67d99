"""What can be done, as `source:subject:action`. A closed list."""

from enum import StrEnum


class Tag(StrEnum):
    """One word per kind of act. The value is the grammar `source:subject:action`."""

    STORE_CREATED = "store:store:create"
    SOURCE_REGISTERED = "catalogue:source:register"
    RECORDING_SEALED = "ingest:recording:seal"
    RECORDING_REFUSED = "ingest:recording:refuse"  #: on the do-not-record list: disposed of at once
    QUARANTINED = "ingest:quarantine:add"
    QUARANTINE_SHOWN = "ingest:quarantine:show"
    QUARANTINE_RELEASED = "ingest:quarantine:release"
    QUARANTINE_REJECTED = "ingest:quarantine:reject"
    DO_NOT_RECORD_ADDED = "ingest:do-not-record:add"
    DO_NOT_RECORD_REMOVED = "ingest:do-not-record:remove"
    LOTS_RECOUNTED = "catalogue:lot:recount"
    TRIGGER_RECORDED = "catalogue:trigger:record"
    SEARCHED = "catalogue:recording:search"
    OPENED = "vault:recording:open"
    OPENING_REFUSED = "vault:recording:refuse"
    FIXITY_CHECKED = "vault:recording:check"
    RECONCILED = "vault:orphan:erase"
    KEYS_ROTATED = "vault:keys:rotate"
    KEYS_ESCROWED = "vault:keys:escrow"
    KEYS_RESTORED = "vault:keys:restore"
    SCHEDULE_PLANNED = "schedule:plan:make"
    SCHEDULE_APPROVED = "schedule:plan:approve"
    SCHEDULE_CANCELLED = "schedule:plan:cancel"
    SCHEDULE_APPLIED = "schedule:plan:apply"
    SCHEDULE_MOVED = "schedule:plan:finish"  #: every recording is in its class
    HOLD_PLACED = "holds:hold:place"
    HOLD_EXTENDED = "holds:hold:match"  #: a recording that came in later matches
    HOLD_LIFTED = "holds:hold:lift"
    DISPOSAL_PLANNED = "disposal:plan:make"
    DISPOSAL_APPROVED = "disposal:plan:approve"
    DISPOSAL_STARTED = "disposal:run:start"
    DISPOSAL_TRIPPED = "disposal:run:trip"
    DISPOSAL_RESET = "disposal:run:reset"
    KEYS_DESTROYED = "disposal:keys:destroy"
    RECORDING_DISPOSED = "disposal:recording:finish"
    DISPOSAL_FINISHED = "disposal:run:finish"
    NIGHT_MISSED = "disposal:night:miss"
    DESTRUCTION_PLANNED = "redaction:span:plan"
    DESTRUCTION_APPROVED = "redaction:span:approve"
    DESTRUCTION_DONE = "redaction:span:destroy"  #: a new version is in force, in which the spans are silent
    DESTRUCTION_FINISHED = "redaction:span:finish"  #: no byte of the old version is left in the store
    BACKED_UP = "store:backup:make"
    RESTORED = "store:backup:restore"
    AUDIT_EXPORTED = "audit:trail:export"
