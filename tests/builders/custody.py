"""Back up and restore a house, and compare what it holds."""

from pathlib import Path
from typing import Any

from retention.custody.backup import Backup, make_backup
from retention.custody.check import check
from retention.custody.model import Report
from retention.custody.preview import preview_restore
from retention.custody.restore import Restored, Step
from retention.custody.restore import restore as restore_backup
from retention.disposal.tables import RunRow
from retention.migrations.migrate import migrate_on
from retention.vault.fixity import Level
from tests.builders.house import ACTOR, House


def back_up(house: House, name: str = "backup", *, force: bool = False) -> Path:
    """Make a backup; where it is."""
    return made(house, name, force=force).path


def made(house: House, name: str = "backup", *, force: bool = False) -> Backup:
    """Make a backup."""
    path = house.drop.parent / name
    return make_backup(house.app.custody_tools(), path, ACTOR, settings="night_at = '03:00'\n", force=force)


def restore(house: House, path: Path, step: Step = lambda _: None, *, replace: bool = True) -> Restored:
    """Restore a backup, as the command does once it is agreed to."""
    tools = house.app.custody_tools()
    preview = preview_restore(tools, path)
    return restore_backup(tools, preview, ACTOR, migrate_on, replace=replace, step=step)


def look(house: House, level: Level = Level.PRESENCE) -> Report:
    """Check the store."""
    return check(house.app.custody_tools(), level, ACTOR)


def what_is_held(house: House) -> dict[str, list[tuple[Any, ...]]]:
    """The catalogue, but for what a restore itself leaves behind; lots by what they hold, not by their number."""
    statements = {
        "recordings": "SELECT id, state, source_id, size_bytes FROM recording ORDER BY id",
        "reasons": "SELECT r.id, m.purpose, c.name, c.key_id, c.state FROM recording r"
        " JOIN lot l ON l.id = r.lot_id JOIN reason m ON m.reasons_id = l.reasons_id JOIN cohort c ON c.id = m.cohort_id ORDER BY r.id, c.name",
        "held": "SELECT r.id, h.hold_id FROM recording r JOIN lot_hold h ON h.lot_id = r.lot_id ORDER BY r.id, h.hold_id",
        "matches": "SELECT hold_id, recording_id FROM hold_match ORDER BY hold_id, recording_id",
        "wraps": "SELECT recording_id, key_id FROM wrap ORDER BY recording_id, key_id",
        "holds": "SELECT id, key_id, reason, lifted_at IS NULL, lift_reason FROM hold ORDER BY id",
        "tombstones": "SELECT recording_id, run_id, position, leaf FROM tombstone ORDER BY run_id, position",
        "runs": "SELECT id, kind, state, disposed, size_bytes, certificate FROM disposal_run ORDER BY id",
        "schedules": "SELECT version, digest FROM schedule_version ORDER BY version",
        "sources": "SELECT id, site, zone, notice FROM source ORDER BY id",
        "do not record": "SELECT blind FROM do_not_record ORDER BY blind",
    }
    return {name: [tuple(row) for row in house.rows(sql)] for name, sql in statements.items()}


def night_after(house: House, *, days: int) -> RunRow:
    """Let days pass and run a night; a backup is made before it, or a guard would stop the night."""
    house.clock.move(days=days)
    back_up(house, "recent", force=True)
    return house.night()
