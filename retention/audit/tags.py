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
    RULEBOOK_APPLIED = "requests:rulebook:apply"
    REQUEST_FILED = "requests:request:file"
    REQUEST_DESCRIBED = "requests:request:describe"  #: more was described, and is held
    REQUEST_IDENTIFIED = "requests:request:identify"
    REQUEST_NOT_IDENTIFIED = "requests:request:reject-identity"
    REQUEST_MATCHED = "requests:request:match"
    REQUEST_LEFT_OUT = "requests:request:leave-out"
    REQUEST_CORRECTING = "requests:request:correct"  #: what is to be changed was put together
    REQUEST_DECIDED = "requests:request:decide"
    REQUEST_APPROVED = "requests:request:approve"
    REQUEST_SENT_BACK = "requests:request:send-back"
    REQUEST_CARRIED_OUT = "requests:request:carry-out"
    REQUEST_EXTENDED = "requests:request:extend"
    REQUEST_PACKAGED = "requests:request:package"
    REQUEST_DELIVERED = "requests:request:deliver"
    REQUEST_CLOSED = "requests:request:close"
    REQUEST_WITHDRAWN = "requests:request:withdraw"
    DISCLOSURE_ARCHIVED = "disclosure:archive:make"  #: an encrypted archive, to be posted
    DISCLOSURE_LINKED = "disclosure:link:make"
    DISCLOSURE_ENDED = "disclosure:link:end"  #: it was not downloaded, or after the case was closed
    ENTRUSTEE_ADDED = "provision:entrustee:add"
    ENTRUSTEE_ENDED = "provision:entrustee:end"
    PROVISION_PROPOSED = "provision:provision:propose"
    PROVISION_APPROVED = "provision:provision:approve"
    PROVISION_WITHDRAWN = "provision:provision:withdraw"
    PROVISION_HANDED_OVER = "provision:provision:hand-over"
    PROVISION_BLOCKED = "provision:block:place"
    PROVISION_UNBLOCKED = "provision:block:lift"
    HOLD_PLACED = "holds:hold:place"
    HOLD_EXTENDED = "holds:hold:match"  #: a recording that came in later, or was corrected, matches
    HOLD_DRILLED = "holds:hold:drill"  #: a held recording was opened and decoded to its end, or could not be
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
    REVIEW_PROPOSED = "redaction:review:propose"
    REVIEW_GIVEN = "redaction:review:review"  #: a person's decisions about one recording of a request
    RENDITION_MADE = "redaction:rendition:render"
    RENDITION_REFUSED = "redaction:rendition:find-again"  #: the second look found somebody: back to review
    BACKED_UP = "store:backup:make"
    RESTORED = "store:backup:restore"
    AUDIT_EXPORTED = "audit:trail:export"
