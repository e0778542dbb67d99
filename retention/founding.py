"""Makes a store, and opens one that is there, once what killed work has left is settled."""

from pathlib import Path
from typing import Unpack

from sqlalchemy import inspect, make_url, select

from retention.audit.chain import Head
from retention.audit.record import Act, record, start_trail
from retention.audit.tags import Tag
from retention.audit.verify import head_of
from retention.bootstrap import WORK, App, Given
from retention.catalogue.tables import ScheduleRow, StoreRow
from retention.database import plain_errors, table_of
from retention.kernel.errors import CatalogueDisagrees, InvalidInput, NotFound
from retention.kernel.ids import new_id
from retention.migrations.version import is_current, is_empty
from retention.schedule.parse import parse_policy

POLICY_FILE = "policy.yaml"


def create_store(home: Path, policy_text: str, policy_name: str, actor: str, **given: Unpack[Given]) -> App:
    """Make a store in `home` under the given policy; finishes a creation that was interrupted.

    Raises:
        InvalidInput: The policy has faults, or there is a store already.
    """
    from retention.custody.backup import SECRET as BACKUP_SECRET
    from retention.migrations.migrate import migrate  # it imports Alembic, which only a new store needs
    from retention.requests.packs import rulebook_for
    from retention.requests.rulebooks import add_version

    schedule = parse_policy(policy_text, policy_name)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    app = App(home, is_new=True, **given)
    if _is_made(app):
        app.close()
        return _take_up(App(home, **given))
    migrate(app.database.engine)
    if not (home / POLICY_FILE).exists():
        (home / POLICY_FILE).write_text(policy_text, encoding="utf-8")
    # Secrets are made now, so that an escrow taken at any later time holds them all.
    assert app.journal
    assert app.signer
    assert app.index_key
    assert app.keys.secret(BACKUP_SECRET)
    now = app.clock.now()
    with app.database.write() as session:
        store = StoreRow(
            id=new_id(now),
            object_store_id=app.store.store_id(),
            created_at=now,
            controller_zone=schedule.controller.zone,
        )
        session.add(store)
        session.add(
            ScheduleRow(
                version=1,
                digest=schedule.digest,
                text=policy_text,
                file_name=policy_name,
                planned_by=actor,
                approved_by=actor,
                applied_at=now,
            )
        )
        rulebook = rulebook_for(schedule.jurisdiction)
        if rulebook is not None:
            add_version(session, *rulebook, now, actor)
        start_trail(session)
        record(session, now, Act(Tag.STORE_CREATED, actor, store.id, detail={"policy": schedule.digest}))
    return app


def open_app(home: Path, **given: Unpack[Given]) -> App:
    """The service for the store in `home`.

    Raises:
        NotFound: There is no store.
    """
    app = App(home, **given)
    if not _has_file(app):
        raise NotFound(
            f"there is no store in {home}",
            hint="Make one with `retention init`, or name one with --home or RETENTION_HOME.",
        )
    with plain_errors():
        current = is_current(app.database.engine)
        empty = not current and is_empty(app.database.engine)
    if empty:
        raise CatalogueDisagrees(
            f"the catalogue of {home} is empty: its tables are gone",
            hint="Bring back the last backup: `retention restore FILE`.",
        )
    if not current:
        raise InvalidInput(
            f"the catalogue of {home} has another version's schema", hint="Run `retention upgrade`."
        )
    with plain_errors():
        _finish(app)
    _sweep(app)
    return app


def _finish(app: App) -> None:
    """Have the first entry witnessed, where a killed `create_store` did not come to it."""
    head = _head(app)
    if head.seq == 0:
        raise InvalidInput(f"the store in {app.home} was never finished", hint="Run `retention init` again.")
    if head.seq == 1:
        app.witness.publish(head, app.clock.now())


def _is_made(app: App) -> bool:
    """Whether a store's making was committed, by whichever version."""
    engine, table = app.database.engine, table_of(StoreRow)
    if not inspect(engine).has_table(table.name):
        return False
    with app.database.read() as session:
        return session.execute(select(table.c.id)).first() is not None


def _take_up(app: App) -> App:
    """A store whose making was killed after its commit."""
    if _head(app).seq != 1 or any(app.witness.heads()):
        app.close()
        raise InvalidInput(f"there is a store in {app.home} already", hint="Name another folder with --home.")
    _finish(app)
    return app


def _head(app: App) -> Head:
    with app.database.read() as session:
        return head_of(session)


def _sweep(app: App) -> None:
    """Empty what killed work has left."""
    if not (app.home / WORK).is_dir():
        return
    from retention.redaction.workroom import sweep
    from retention.requests.model import Stage
    from retention.requests.show import requests_at

    with app.database.read() as session:
        wanted = frozenset(each.id for each in requests_at(session, {Stage.MATCHED}))
    sweep(app.home / WORK, wanted)


def has_catalogue(app: App) -> bool:
    """Whether there is a catalogue of the present schema."""
    with plain_errors():
        return _has_file(app) and is_current(app.database.engine)


def _has_file(app: App) -> bool:
    url = make_url(str(app.database.engine.url))
    return not url.drivername.startswith("sqlite") or Path(str(url.database)).exists()
