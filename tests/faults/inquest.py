"""What must hold of a store, whatever killed its last process.

`faults_at_any_time` must be empty at every instant, also right after a death;
`faults_at_rest` once the command was given again and has ended.
"""

import io
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import text
from sqlmodel import Session

from retention.audit.verify import ask, verify_trail
from retention.bootstrap import App
from retention.disposal import certificate, verifier
from retention.kernel.errors import RetentionError
from retention.vault.door import sealed_object
from retention.vault.open import read_all
from retention.vault.reasons import data_key

#: (recording, key) for each living reason to keep each recording that no run is letting go.
LIVING = """
    SELECT r.id, c.key_id FROM recording r JOIN lot l ON l.id = r.lot_id
    JOIN reason m ON m.reasons_id = l.reasons_id JOIN cohort c ON c.id = m.cohort_id
    WHERE l.run_id IS NULL AND c.state = 'active'
    UNION SELECT r.id, h.key_id FROM recording r JOIN lot l ON l.id = r.lot_id
    JOIN lot_hold m ON m.lot_id = l.id JOIN hold h ON h.id = m.hold_id WHERE l.run_id IS NULL
    UNION SELECT r.id, h.key_id FROM recording r JOIN lot l ON l.id = r.lot_id
    JOIN hold_match m ON m.recording_id = r.id JOIN hold h ON h.id = m.hold_id WHERE l.run_id IS NULL
"""
COUNTED = """
    SELECT l.id, l.recordings, l.size_bytes, count(r.id), coalesce(sum(r.size_bytes), 0)
    FROM lot l LEFT JOIN recording r ON r.lot_id = l.id GROUP BY l.id, l.recordings, l.size_bytes
    HAVING l.recordings <> count(r.id) OR l.size_bytes <> coalesce(sum(r.size_bytes), 0)
"""
LIVES = """
    SELECT l.id, l.living, count(DISTINCT CASE WHEN c.state = 'active' THEN c.id END)
    FROM lot l LEFT JOIN reason m ON m.reasons_id = l.reasons_id LEFT JOIN cohort c ON c.id = m.cohort_id
    GROUP BY l.id, l.living HAVING l.living <> count(DISTINCT CASE WHEN c.state = 'active' THEN c.id END)
"""
#: Rows of something that was disposed of, which must be gone with it.
UNDEAD = [
    f"SELECT '{table} ' || t.recording_id FROM {table} t JOIN recording r ON r.id = t.recording_id"
    " WHERE r.state = 'disposed'"
    for table in ("object", "wrap", "identifier", "hold_match")
]
UNFINISHED = {
    "intake": "SELECT recording_id FROM intake",
    "unfinished run": "SELECT id FROM disposal_run WHERE state <> 'done'",
    "recording half-way out": "SELECT id FROM recording WHERE state = 'disposing'",
    "disposed without a tombstone": "SELECT id FROM recording WHERE state = 'disposed'"
    " AND id NOT IN (SELECT recording_id FROM tombstone)",
    "tombstone of the living": "SELECT t.recording_id FROM tombstone t JOIN recording r"
    " ON r.id = t.recording_id WHERE r.state <> 'disposed'",
    "unfinished destruction": "SELECT digest FROM destruction WHERE state IN ('started', 'destroyed')",
    "expiring cohort": "SELECT name FROM cohort WHERE state = 'expiring'",
}
STORED = """
    SELECT recording_id || CASE version WHEN 1 THEN '.' ELSE '.' || version || '.' END || role FROM object
    UNION SELECT id || '.original' FROM quarantine WHERE state = 'waiting' AND stored_bytes IS NOT NULL
"""


def _rows(session: Session, statement: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in session.execute(text(statement))]


def faults_at_any_time(app: App) -> list[str]:
    """What must never be seen, not even between a death and the next start."""
    vouched = ask(app.witness)
    with app.database.read() as session:
        verdict = verify_trail(session, vouched, app.store_id, app.signer.is_ours)
        found = [] if verdict.ok else [f"the trail: {verdict.reason}"]
        found += [f"lot is miscounted: {row}" for row in _rows(session, COUNTED)]
        found += [f"lot's reasons are miscounted: {row}" for row in _rows(session, LIVES)]
        found += _closed(app, session)
    list(app.journal.entries())
    return found


def _closed(app: App, session: Session) -> Iterator[str]:
    """Recordings that some living reason does not open, or that open to something else."""
    opened: dict[str, bytes] = {}
    for recording_id, key_id in _rows(session, LIVING):
        assert isinstance(recording_id, str)
        try:
            key = data_key(session, app.keys, recording_id, str(key_id))
            if recording_id not in opened:
                for _ in read_all(app.store, key, sealed_object(session, recording_id, "original")):
                    pass
            if opened.setdefault(recording_id, key) != key:
                yield f"{recording_id} has two data keys"
        except RetentionError as error:
            yield f"{recording_id} does not open through key {key_id}: {error.message}"


def faults_at_rest(app: App) -> list[str]:
    """What must not be left once the work is done."""
    found = faults_at_any_time(app)
    with app.database.read() as session:
        for what, statement in UNFINISHED.items():
            found += [f"{what}: {row}" for row in _rows(session, statement)]
        for statement in UNDEAD:
            found += [f"left of a disposed recording: {row}" for row in _rows(session, statement)]
        found += _in_the_vault(app, session)
        found += _keys(app, session)
        found += _certificates(app, session)
    # A free lock and a draft of the trail's head hold nothing, and stand in nobody's way.
    return found + [f"left behind: {path.name}" for path in (app.home / "tmp").glob("*")]


def _in_the_vault(app: App, session: Session) -> Iterator[str]:
    wanted = {str(row[0]) for row in _rows(session, STORED)}
    stored = {name.rpartition("/")[2] for name, _, _ in app.store.list_names()}
    yield from (f"bytes without a row: {name}" for name in stored - wanted)
    yield from (f"a row without bytes: {name}" for name in wanted - stored)
    drafts = app.home / "vault" / "unfinished"
    # A draft of the store's own id holds nothing, and is no object.
    yield from (
        f"an unfinished object: {path.name}"
        for path in drafts.glob("*")
        if not path.name.startswith("store-id.")
    )


def _keys(app: App, session: Session) -> Iterator[str]:
    keys = app.keys.key_ids()
    gone = "SELECT name, key_id FROM cohort WHERE state = 'expired'"
    yield from (
        f"the key of expired cohort {name} lives" for name, key in _rows(session, gone) if key in keys
    )
    lifted = "SELECT id, key_id FROM hold WHERE key_destroyed_at IS NOT NULL"
    yield from (f"the key of lifted hold {name} lives" for name, key in _rows(session, lifted) if key in keys)


def _certificates(app: App, session: Session) -> Iterator[str]:
    for run_id, disposed, root in _rows(session, "SELECT id, disposed, certificate FROM disposal_run"):
        graves = _rows(session, f"SELECT recording_id FROM tombstone WHERE run_id = '{run_id}'")
        if len(graves) != disposed:
            yield f"run {run_id} counts {disposed} disposals, and there are {len(graves)} tombstones"
        if not disposed:
            continue
        try:
            lines = app.journal.documents.kept(certificate.document_name(str(run_id)))
            document = io.BytesIO(b"".join(line + b"\n" for line in lines))
            statement = verifier.check_certificate(document, app.signer.public_key)
        except (verifier.NotAuthentic, RetentionError) as error:
            yield f"the certificate of run {run_id}: {error}"
            continue
        if statement["root"] != root:
            yield f"run {run_id} names another root than its certificate"


def traces(home: Path, secrets: dict[str, bytes]) -> list[str]:
    """Which of the secrets' bytes lie in any file under `home`, and where."""
    found = []
    for path in sorted(home.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            found += [f"{name} in {path.name}" for name, secret in secrets.items() if secret in content]
    return found
