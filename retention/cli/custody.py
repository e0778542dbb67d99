"""retention check, reconcile, backup, restore: is everything there, and what if it is not."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from retention.amendment.apply import finish
from retention.amendment.tools import Tools as AmendmentTools
from retention.bootstrap import App
from retention.cli.shared import (
    EPILOG,
    amount,
    home,
    instant,
    is_json,
    named_actor,
    progress,
    say,
    show,
    size,
    store,
    styled,
    table,
)
from retention.custody.backup import make_backup
from retention.custody.check import check as check_store
from retention.custody.model import Finding, Kind, Report
from retention.custody.preview import Preview, preview_restore
from retention.custody.reconcile import Reconciled
from retention.custody.reconcile import reconcile as reconcile_store
from retention.custody.repair import Repair
from retention.custody.repair import repair as repair_store
from retention.custody.restore import Restored
from retention.custody.restore import restore as restore_backup
from retention.kernel.errors import CatalogueDisagrees, InvalidInput
from retention.migrations.migrate import migrate_on
from retention.redaction.destroy import finish as finish_destructions
from retention.settings import FILE_NAME
from retention.vault.fixity import Level

SHOWN = 50


def add_to(root: typer.Typer) -> None:
    """Hang the commands into the tree."""
    for command in (check, reconcile, backup, restore):
        root.command(command.__name__, epilog=EPILOG)(command)


def check(
    level: Annotated[
        Level,
        typer.Option(
            help="presence: every object is there and none too many; costs one listing, about a minute for a million"
            " objects in a folder, ten on S3. size: and as long as it was sealed; costs the same. digest: every object"
            " is read, decrypted and hashed; costs what reading the whole archive costs, about 20 minutes a terabyte"
            " for each GB/s the disk gives."
        ),
    ] = Level.PRESENCE,
    repair: Annotated[
        list[Repair] | None,
        typer.Option(
            help="Repair first, then check; repeatable. counts: write the recount of every lot whose counts are wrong."
            " spent-keys: destroy keys of expired cohorts and of lifted holds that keep nothing."
        ),
    ] = None,
) -> None:
    """Check that everything we say we hold is there, whole, readable for every reason, and nothing else.

    Looks at rows, keys, bytes, holds, runs, the audit trail, the journal and the schema. Changes nothing
    without --repair. Exit code 34 when anything is found.
    """
    who = named_actor()
    with store() as opened:
        tools = opened.custody_tools()
        for each in repair or []:
            say(f"{each}: {repair_store(tools, each, who)} repaired.")
        with progress("Checking") as tell:
            report = check_store(tools, level, who, tell)
    show(_report_json(report), _report_text(report))
    if not report.ok:
        total = sum(report.counts.values())
        raise CatalogueDisagrees(amount(total, "finding"), hint="Each says what to do about it.")


def _finding_json(finding: Finding) -> dict[str, str]:
    return {
        "kind": str(finding.kind),
        "subject": finding.subject,
        "what": finding.what,
        "remedy": finding.remedy,
    }


def _report_json(report: Report) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "level": str(report.level),
        "recordings": report.recordings,
        "objects": report.objects,
        "findings": [_finding_json(each) for each in report.findings],
        "counts": {str(kind): count for kind, count in report.counts.items()},
    }


def _report_text(report: Report) -> list[Any]:
    if report.ok:
        return [
            styled(
                f"All is as it should be at level {report.level}:"
                f" {report.recordings} recordings, {report.objects} objects.",
                "green",
            )
        ]
    return _findings_text(report.findings, report.counts)


def _findings_text(findings: tuple[Finding, ...], counts: Any) -> list[Any]:
    rows = [(each.kind, each.what, each.remedy) for each in findings[:SHOWN]]
    left = sum(counts.values()) - len(rows)
    found: list[Any] = [table("Findings", ["kind", "what", "what to do"], rows)]
    return [*found, f"... and {left} more: --json lists the first 1000 of each kind."] if left else found


def reconcile(
    erase_orphans: Annotated[
        bool,
        typer.Option(
            "--erase-orphans",
            help="Erase bytes without a row that are older than a day, and what is left of disposed recordings.",
        ),
    ] = False,
    erase_stranded: Annotated[
        bool,
        typer.Option(
            "--erase-stranded",
            help="Erase bytes whose rows were lost when a backup was restored: nobody can read them.",
        ),
    ] = False,
    erase_aliens: Annotated[
        bool,
        typer.Option(
            "--erase-aliens",
            help="Erase files in the vault that are no objects of ours, and what was left unfinished a day ago.",
        ),
    ] = False,
) -> None:
    """List bytes without a row, rows without bytes, alien files and keys without a row. Erases only what a flag names.

    Refused when more than one object in a hundred (and more than ten) has no row: then it is the catalogue
    that is missing. Rows without bytes are a loss; no row is ever removed to hide it.
    """
    who = named_actor()
    with store() as opened, progress("Comparing") as tell:
        found = reconcile_store(
            opened.custody_tools(),
            who,
            erase_orphans=erase_orphans,
            erase_stranded=erase_stranded,
            erase_aliens=erase_aliens,
            progress=tell,
        )
    show(_reconciled_json(found), _reconciled_text(found))


def _reconciled_json(found: Reconciled) -> dict[str, Any]:
    return {
        "objects": found.objects,
        "known": found.known,
        "counts": {str(kind): count for kind, count in found.counts.items()},
        "bytes": {str(kind): count for kind, count in found.size_bytes.items()},
        "listed": [{"kind": str(kind), "name": name} for kind, name in found.listed],
        "keys_without_row": list(found.keys_without_row),
        "erased": found.erased,
    }


def _reconciled_text(found: Reconciled) -> list[Any]:
    lines: list[Any] = [f"{found.objects} objects in the vault, {found.known} of them in the catalogue."]
    if found.listed:
        rows = [(kind, found.counts[kind], size(found.size_bytes[kind])) for kind in sorted(found.counts)]
        lines.append(table("Does not fit", ["kind", ">objects", ">bytes"], rows))
        lines += [f"  {kind}  {name}" for kind, name in found.listed[:SHOWN]]
    else:
        lines.append(styled("Catalogue and vault agree.", "green"))
    if found.keys_without_row:
        lines.append(f"Keys without a row, which are only reported: {len(found.keys_without_row)}.")
    if found.erased:
        lines.append(styled(f"{found.erased} objects were erased.", "magenta"))
    elif found.counts[Kind.ORPHAN] or found.counts[Kind.UNDEAD]:
        lines.append("Nothing was erased: --erase-orphans does it.")
    elif found.counts[Kind.ALIEN]:
        lines.append("Nothing was erased: --erase-aliens does it. Find out first who put it there.")
    return lines


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to make.")],
    force: Annotated[bool, typer.Option("--force", help="Replace a file of that name.")] = False,
) -> None:
    """Write everything the catalogue knows to one encrypted, signed file. No key and no recording is in it.

    Back up the vault by its own means, and the keys with `retention keys escrow`.
    """
    who = named_actor()
    with store() as opened:
        settings = opened.home / FILE_NAME
        text = settings.read_text(encoding="utf-8") if settings.exists() else ""
        with progress("Backing up") as tell:
            made = make_backup(opened.custody_tools(), file, who, settings=text, force=force, progress=tell)
    value = asdict(made) | {"path": str(made.path), "made_at": instant(made.made_at)}
    show(value, f"{file}: {made.recordings} recordings, {made.rows} rows, {size(made.size_bytes)}.")
    say("It opens with this store's keys alone: keep an escrow of them, elsewhere (`retention keys escrow`).")


def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A backup of this store.")],
    preview_only: Annotated[
        bool,
        typer.Option(
            "--preview", help="Verify the backup and say what restoring it would do; change nothing."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="PostgreSQL: move what is in the database to a schema of its own."),
    ] = False,
) -> None:
    """Bring back a backup, with every hold placed and every disposal carried out since it was made.

    Shows first what it would do. The present catalogue is kept aside, not deleted. Stop every other
    process of the store first. Bytes whose rows are lost are listed by `reconcile`, never erased here.
    """
    who = named_actor()
    app = App(home())
    try:
        tools = app.custody_tools()
        preview = preview_restore(tools, file)
        if preview_only:
            show(_preview_json(preview), _preview_text(preview))
            return
        say("\n".join(_preview_text(preview)))
        _agree(yes)
        with progress("Restoring") as tell:
            steps = _Steps(tell)
            found = restore_backup(tools, preview, who, migrate_on, replace=replace, step=steps)
        beside = _keep_settings(app.home, preview.settings)
        with progress("Wrapping data keys") as tell:
            # What a change of the schedule had begun to move may be on its way in the backup.
            finish_destructions(app.redaction_tools(), who)
            rewrapped = finish(AmendmentTools(app.database, app.keys, app.journal, app.clock), who, tell)
    finally:
        app.close()
    show(_restored_json(found, beside) | {"rewrapped": rewrapped}, _restored_text(found, beside))


class _Steps:
    """Counts steps for the progress bar."""

    def __init__(self, tell: Any) -> None:
        self._tell = tell
        self._done = 0

    def __call__(self, _name: str) -> None:
        self._done += 1
        self._tell(self._done)


def _agree(yes: bool) -> None:
    if yes:
        return
    if is_json():
        raise InvalidInput("restoring was not agreed to", hint="Look at it with --preview, then give --yes.")
    typer.confirm("Restore it?", abort=True, err=True)


def _preview_json(preview: Preview) -> dict[str, Any]:
    return {
        "made_at": instant(preview.made_at),
        "store": preview.manifest["store"],
        "version": preview.manifest["version"],
        "recordings": preview.manifest["recordings"],
        "rows": preview.manifest["rows"],
        "since": dict(preview.since),
        "disposed_since": preview.disposed_since,
        "stored_since": preview.stored_since,
        "certificates_missing": list(preview.certificates_missing),
    }


def _preview_text(preview: Preview) -> list[str]:
    rows, since = preview.manifest["rows"], preview.since
    lines = [
        (
            f"A backup of {instant(preview.made_at)}: {amount(preview.manifest['recordings'], 'recording')}, {amount(rows['hold'], 'hold')},"
            f" {amount(rows['source'], 'source')}, {preview.manifest['audit']['seq']} audit entries."
        ),
        "Since then the journal knows of:",
        f"  holds placed: {since['hold-placed']}, lifted: {since['hold-lifted']}; they are placed and lifted again",
        f"  {amount(since['cohorts-expired'], 'disposal run')} with {amount(preview.disposed_since, 'recording')}: what went stays disposed of",
        (
            f"  schedules applied: {since['schedule-applied']}, sources registered: {since['source-registered']},"
            f" moves of recordings: {since['move-confirmed']}; they are done again"
        ),
        f"  spans of recordings destroyed: {since['span-confirmed']}; they stay destroyed",
        (
            f"Recordings and quarantined items that came in since: {preview.stored_since}; their rows are lost,"
            " their bytes stay in the vault, listed by `retention reconcile` as stranded."
        ),
    ]
    if preview.certificates_missing:
        lines.append(
            f"The certificates of runs {', '.join(preview.certificates_missing)} are not in the journal's folder:"
            " those runs will be carried out again."
        )
    return lines


def _keep_settings(folder: Path, text: str) -> str:
    """Put the settings of then beside the present ones where they differ; where."""
    present = folder / FILE_NAME
    if not text or (present.exists() and present.read_text(encoding="utf-8") == text):
        return ""
    beside = folder / f"{FILE_NAME}.from-backup"
    beside.write_text(text, encoding="utf-8")
    return str(beside)


def _restored_json(found: Restored, settings: str) -> dict[str, Any]:
    replayed = asdict(found.replayed)
    del replayed["dead_keys"]
    return {
        "made_at": instant(found.made_at),
        "recordings": found.recordings,
        "replayed": replayed,
        "keys_destroyed": found.keys_destroyed,
        "objects_erased": found.objects_erased,
        "findings": [_finding_json(each) for each in found.findings],
        "counts": {str(kind): count for kind, count in found.counts.items()},
        "diverged_at": found.diverged_at,
        "aside": found.aside,
        "settings": settings,
    }


def _restored_text(found: Restored, settings: str) -> list[Any]:
    replayed = found.replayed
    lines: list[Any] = [
        (
            f"Restored: {amount(found.recordings, 'recording')} as of {instant(found.made_at)}."
            f" Holds placed again: {replayed.holds_placed}, lifted again: {replayed.holds_lifted};"
            f" recordings that stay disposed of: {replayed.recordings_disposed + replayed.recordings_unknown};"
            f" recordings whose destroyed spans stay destroyed: {replayed.spans_destroyed};"
            f" corrections made again: {replayed.corrections}."
        )
    ]
    if found.aside:
        lines.append(
            f"The catalogue of before is kept in {found.aside}. Delete it when nobody needs it any more."
        )
    if settings:
        lines.append(f"The settings of then differ; they are in {settings} and were not applied.")
    if replayed.requests_lost:
        lines.append(
            styled(
                f"Requests filed since are not in this backup: {', '.join(replayed.requests_lost)}. What they froze is"
                " held; file them again.",
                "red",
            )
        )
    if replayed.unfinished_runs:
        lines.append("A disposal run is not finished: `retention disposal resume` finishes it.")
    if found.diverged_at is not None:
        lines.append(
            styled(
                f"The witness knows other audit entries from {found.diverged_at} on: this backup is of a past"
                " that an earlier restore abandoned, or it was tampered with.",
                "red",
            )
        )
    if found.counts:
        lines += _findings_text(found.findings, found.counts)
    return lines
