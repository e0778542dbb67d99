"""What the crash tests do to a store: prepared, acted, died, done again, judged.

Every step is a command line, carried out as the program itself does. A story's
folder holds `store` and `material`; nothing in it names the folder, so that
copies of it are stories of their own.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from sqlalchemy import text

from retention.adapters.keys_keyring import Keyring
from retention.adapters.keys_ring import Kind
from retention.bootstrap import App
from retention.catalogue.identifiers import Identifier, blind_all, native
from retention.cli.main import run
from retention.founding import create_store, open_app
from retention.kernel.errors import CatalogueDisagrees, InvalidInput, NotFound
from retention.vault.door import sealed_object
from retention.vault.note import open_note
from retention.vault.open import read_all
from retention.vault.reasons import data_keys
from tests.builders.calls import CALLER, POLICY, write_call
from tests.faults.inquest import faults_at_any_time, faults_at_rest, traces

REVIEW_ON = "2100-01-01"
RIGHT_NUMBER = "+81355500177"
ALREADY = InvalidInput.exit_code
RATE = 8_000  #: of the calls that `write_call` writes
Facts = dict[str, Any]


class CommandFailed(AssertionError):
    """A command did not end as it should."""


def command(folder: Path, *line: str, allowed: Iterable[int] = (0,)) -> list[Any]:
    """Give one command; what it printed."""
    printed = StringIO()
    with redirect_stdout(printed):
        code = run(["--home", str(folder / "store"), "--as", "sato", "--json", *line])
    if code not in allowed:
        raise CommandFailed(f"{line} ended with {code}: {printed.getvalue()}")
    return [json.loads(each) for each in printed.getvalue().splitlines()]


def ingest(folder: Path, part: str, source: str = "line") -> dict[str, str]:
    """Take a part of the material in: file name → recording id."""
    outcomes = command(folder, "ingest", str(folder / part), "--source", source)
    return {Path(each["path"]).name: each["id"] for each in outcomes}


def new_store(folder: Path) -> None:
    """A store with two lines; calls of the second may also be used to answer inquiries."""
    create_store(folder / "store", POLICY.read_text(encoding="utf-8"), POLICY.name, "founder").close()
    new_lines(folder)


def new_lines(folder: Path) -> None:
    """The two lines."""
    line = ["source", "add", "--kind", "call", "--site", "tokyo", "--purpose", "service-quality"]
    command(folder, *line, "line")
    command(folder, *line, "--purpose", "customer-inquiry", "inquiries")


def place(folder: Path, *criteria: str) -> str:
    """Place a hold; its id."""
    said = ("--kind", "legal", "--reason", "a dispute", "--review-on", REVIEW_ON)
    found: str = command(folder, "hold", "place", *criteria, *said)[0]["id"]
    return found


def rows(app: App, statement: str, **values: Any) -> list[Any]:
    """What the database answers."""
    with app.database.read() as session:
        return list(session.execute(text(statement), values))


def states(app: App) -> dict[str, str]:
    """Recording → state."""
    return {row.id: row.state for row in rows(app, "SELECT id, state FROM recording")}


@dataclass(frozen=True)
class Story:
    """One act, at every effect of which the process dies once."""

    prepare: Callable[[Path], Facts]
    act: Callable[[Path, Facts], object]
    again: Callable[[Path, Facts], object]
    judge: Callable[[App, Facts], list[str]]
    begins_with_store: bool = True


# --- making a store


def prepare_nothing(_: Path) -> Facts:
    return {}


def init(folder: Path, _: Facts) -> None:
    command(folder, "init")


def init_again_and_go_on(folder: Path, _: Facts) -> None:
    command(folder, "init", allowed=(0, ALREADY))
    new_lines(folder)


def judge_init(app: App, _: Facts) -> list[str]:
    vouched, last = [*app.witness.heads()][-1].seq, rows(app, "SELECT max(seq) FROM audit_entry")[0][0]
    made = rows(app, "SELECT id FROM store")
    return [
        *([f"{len(made)} stores were made"] if len(made) != 1 else []),
        *([f"entry {vouched} of {last} is witnessed"] if vouched != last else []),
    ]


# --- taking in


def prepare_folder(folder: Path) -> Facts:
    new_store(folder)
    place(folder, "--phone", CALLER)
    write_call(folder / "before" / "early.wav", 7, native_id="early")
    early = ingest(folder, "before")["early.wav"]
    new = folder / "material"
    good = [write_call(new / f"{name}.wav", days) for name, days in (("a", 3), ("c", 5))]
    held = write_call(new / "b.wav", 4, caller=CALLER)
    write_call(new / "early-again.wav", 7, native_id="early")
    write_call(new / "a-twice.wav", 3, native_id="a")
    refused = write_call(new / "no.wav", 2, tags=["opt-out"])
    broken = new / "cut.wav"
    broken.write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00")
    return {
        "early": early,
        "sealed": sorted([*good, held, _sha256(folder / "before" / "early.wav")]),
        "held": held,
        "refused": refused,
        "broken": _sha256(broken),
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def ingest_material(folder: Path, _: Facts) -> None:
    ingest(folder, "material")


def judge_ingest(app: App, facts: Facts) -> list[str]:
    found = rows(app, "SELECT id, state, sha256 FROM recording")
    sealed = sorted(row.sha256.hex() for row in found if row.state == "sealed")
    gone = [row.sha256.hex() for row in found if row.state != "sealed"]
    waiting = [row.sha256.hex() for row in rows(app, "SELECT sha256 FROM quarantine WHERE state = 'waiting'")]
    held = [
        row.sha256.hex()
        for row in rows(app, "SELECT r.sha256 FROM recording r JOIN hold_match m ON m.recording_id = r.id")
    ]
    return [
        f"{what}: {is_} instead of {should}"
        for what, is_, should in (
            ("sealed", sealed, facts["sealed"]),
            ("disposed of", gone, [facts["refused"]]),
            ("in quarantine", waiting, [facts["broken"]]),
            ("held", held, [facts["held"]]),
        )
        if is_ != should
    ]


# --- a night


def prepare_night(folder: Path) -> Facts:
    new_store(folder)
    for name, days in (("spent", 400), ("kept", 401)):
        write_call(folder / "first" / f"{name}.wav", days)
    ids = ingest(folder, "first")
    spent_hold = place(folder, "--recording", ids["spent.wav"])
    place(folder, "--recording", ids["kept.wav"])
    command(folder, "disposal", "run")
    command(folder, "hold", "lift", spent_hold, "--reason", "settled")
    for name, days in (("a1", 300), ("a2", 300), ("b", 250), ("held", 280), ("young", 10)):
        write_call(folder / "second" / f"{name}.wav", days)
    ids |= ingest(folder, "second")
    place(folder, "--recording", ids["held.wav"])
    write_call(folder / "third" / "two.wav", 290)
    ids |= ingest(folder, "third", "inquiries")
    go = [ids[f"{name}.wav"] for name in ("spent", "a1", "a2", "b")]
    stay = [ids[f"{name}.wav"] for name in ("kept", "held", "young", "two")]
    calls = {path.name: path for path in folder.glob("*/*.wav")}
    app = open_app(folder / "store")
    secrets = _keys_that_go(app, spent_hold) | _data_keys_of(app, go)
    secrets |= {
        f"sound of {name}": calls[name].read_bytes()[5000:5064] for name, found in ids.items() if found in go
    }
    app.close()
    return {
        "go": go,
        "stay": stay,
        "two": ids["two.wav"],
        "secrets": {name: base64.b64encode(secret).decode() for name, secret in secrets.items()},
    }


def _keys_that_go(app: App, spent_hold: str) -> dict[str, bytes]:
    """The keys that the night destroys: in the clear, and as the keyring's file holds them."""
    due = (
        "SELECT key_id, name FROM cohort WHERE state = 'active' AND class_name = 'calls.service-quality'"
        " AND trigger_on < '2026-06-30' UNION SELECT key_id, 'hold' FROM hold WHERE id = :hold"
    )
    today = app.today()
    found = rows(app, due.replace("2026-06-30", (today - timedelta(days=200)).isoformat()), hold=spent_hold)
    assert len(found) == 5
    keys = app.keys
    assert isinstance(keys, Keyring)
    contents = keys.contents()
    file = (app.home / "keys" / "keyring").read_text("ascii").splitlines()
    entries = {line.split()[1]: line.split()[2] for line in file[2:]}
    secrets: dict[str, bytes] = {}
    for key_id, name in found:
        for form, raw in (("key", contents[Kind.KEY, key_id]), ("entry", base64.b64decode(entries[key_id]))):
            secrets |= {f"{form} of {name}": raw, f"{form} of {name}, base64": base64.b64encode(raw)}
    return secrets


def _data_keys_of(app: App, recording_ids: list[str]) -> dict[str, bytes]:
    with app.database.read() as session:
        return {f"data key of {found}": key for found, key in data_keys(session, app.keys, recording_ids)}


def night(folder: Path, _: Facts) -> None:
    command(folder, "disposal", "run")


def judge_night(app: App, facts: Facts) -> list[str]:
    found = states(app)
    faults = [f"{each} is {found[each]}" for each in facts["go"] if found[each] != "disposed"]
    faults += [f"{each} is {found[each]}" for each in facts["stay"] if found[each] != "sealed"]
    secrets = {name: base64.b64decode(secret) for name, secret in facts["secrets"].items()}
    return faults + traces(app.home, secrets)


# --- placing a hold


def prepare_hold(folder: Path) -> Facts:
    new_store(folder)
    write_call(folder / "material" / "due.wav", 300, caller=CALLER)
    write_call(folder / "material" / "young.wav", 10, caller=CALLER)
    write_call(folder / "material" / "other.wav", 301)
    return {"ids": ingest(folder, "material")}


def place_hold(folder: Path, _: Facts) -> None:
    place(folder, "--phone", CALLER)


def place_again_and_dispose(folder: Path, facts: Facts) -> None:
    place_hold(folder, facts)
    command(folder, "disposal", "run")


def judge_place(app: App, facts: Facts) -> list[str]:
    found, ids = states(app), facts["ids"]
    wanted = {"due.wav": "sealed", "young.wav": "sealed", "other.wav": "disposed"}
    faults = [f"{name} is {found[ids[name]]}" for name, state in wanted.items() if found[ids[name]] != state]
    holds = rows(app, "SELECT id FROM hold WHERE lifted_at IS NULL")
    for hold in holds:
        held = rows(app, "SELECT recording_id FROM hold_match WHERE hold_id = :id", id=hold.id)
        if {row.recording_id for row in held} != {ids["due.wav"], ids["young.wav"]}:
            faults.append(f"hold {hold.id} is half a hold: {held}")
    return faults if holds else [*faults, "there is no hold"]


# --- lifting it


def prepare_lift(folder: Path) -> Facts:
    facts = prepare_hold(folder)
    hold = place(folder, "--phone", CALLER)
    command(folder, "disposal", "run")
    return facts | {"hold": hold}


def lift(folder: Path, facts: Facts) -> None:
    command(folder, "hold", "lift", facts["hold"], "--reason", "settled")


def lift_again_and_dispose(folder: Path, facts: Facts) -> None:
    command(folder, "hold", "lift", facts["hold"], "--reason", "settled", allowed=(0, 14))
    command(folder, "disposal", "run")


def judge_lift(app: App, facts: Facts) -> list[str]:
    found, ids = states(app), facts["ids"]
    wanted = {"due.wav": "disposed", "young.wav": "sealed", "other.wav": "disposed"}
    faults = [f"{name} is {found[ids[name]]}" for name, state in wanted.items() if found[ids[name]] != state]
    lives = [
        row.id
        for row in rows(app, "SELECT id, key_id, key_destroyed_at FROM hold")
        if not row.key_destroyed_at
    ]
    return faults + [f"the key of lifted hold {each} was not destroyed" for each in lives]


# --- destroying a span

SPAN_S = (0.25, 0.5)


def prepare_span(folder: Path) -> Facts:
    new_store(folder)
    write_call(folder / "calls" / "card.wav", 5)
    call = ingest(folder, "calls")["card.wav"]
    sound = (folder / "calls" / "card.wav").read_bytes()
    start, end = (44 + round(at * RATE) * 2 for at in SPAN_S)
    return {
        "call": call,
        "before": base64.b64encode(sound).decode(),
        "after": base64.b64encode(sound[:start] + bytes(end - start) + sound[end:]).decode(),
        "span": [start, end],
    }


def destroy_span(folder: Path, facts: Facts) -> None:
    span = "{}-{}".format(*SPAN_S)
    line = (
        "redaction",
        "destroy-span",
        facts["call"],
        "--span",
        span,
        "--reason",
        "a security code",
        "--yes",
    )
    command(folder, *line)


def judge_span(app: App, facts: Facts) -> list[str]:
    before, after = base64.b64decode(facts["before"]), base64.b64decode(facts["after"])
    start, end = facts["span"]
    with app.database.read() as session:
        ((_, key),) = data_keys(session, app.keys, [facts["call"]])
        sealed = sealed_object(session, facts["call"], "original")
        sound = b"".join(read_all(app.store, key, sealed))
    faults = [] if not any(sound[start:end]) else ["the span is heard"]
    fade = round(0.005 * RATE) * 2
    if (sound[: start - fade], sound[end + fade :]) != (after[: start - fade], after[end + fade :]):
        faults.append("what lies outside the span was changed")
    secret = before[start + 100 : start + 164]
    done = rows(app, "SELECT seq FROM audit_entry WHERE tag = 'redaction:span:destroy'")
    if len(done) != 1:
        faults.append(f"it was destroyed {len(done)} times")
    return faults + traces(app.home, {"the span's sound": secret})


# --- carrying a correction out


def prepare_correction(folder: Path) -> Facts:
    new_store(folder)
    write_call(folder / "calls" / "wrong.wav", 5, caller=CALLER)
    call = ingest(folder, "calls")["wrong.wav"]
    hold = place(folder, "--phone", RIGHT_NUMBER)
    asked = ("correction", "--name", "高橋 花子", "--phone", CALLER)
    receipt: str = command(folder, "request", "file", *asked)[0]["receipt"]
    command(folder, "request", "identify", receipt, "--method", "drivers-licence")
    command(folder, "request", "match", receipt)
    command(folder, "request", "correct", receipt, call, f"caller.phone={RIGHT_NUMBER}")
    command(folder, "request", "decide", receipt, "full")
    seen = command(folder, "request", "corrections", receipt)[0]["seen"]
    command(folder, "--as", "suzuki", "request", "approve", receipt, "--seen", seen)
    return {"call": call, "hold": hold, "receipt": receipt}


def carry_out_correction(folder: Path, facts: Facts) -> None:
    command(folder, "request", "carry-out", facts["receipt"])


def carry_out_again_and_answer(folder: Path, facts: Facts) -> None:
    command(folder, "request", "carry-out", facts["receipt"], allowed=(0, 14))
    command(folder, "request", "package", facts["receipt"])


def judge_correction(app: App, facts: Facts) -> list[str]:
    call = facts["call"]
    with app.database.read() as session:
        ((_, key),) = data_keys(session, app.keys, [call])
    (row,) = rows(app, "SELECT personal FROM recording WHERE id = :id", id=call)
    note = json.loads(open_note(key, call, bytes(row.personal)))
    held = {each.hold_id for each in rows(app, "SELECT hold_id FROM hold_match")}
    found = rows(app, "SELECT blind FROM identifier WHERE recording_id = :id", id=call)
    what_it_is_called = native(note["entry"]["native_id"])
    assert what_it_is_called
    right = blind_all(app.index_key, [Identifier("phone", RIGHT_NUMBER), what_it_is_called])
    told = [each for each in app.journal.entries() if each["kind"] == "particulars-corrected"]
    return [
        what
        for what, is_so in (
            ("it was not corrected once", len(note.get("corrections", ())) != 1),
            ("what stood there is lost", note["corrections"][0]["was"][0]["phone"] != CALLER),
            ("it is not right", note["entry"]["participants"][0]["phone"] != RIGHT_NUMBER),
            ("it is found by something else", {bytes(each.blind) for each in found} != right),
            ("it is not held by the right number", facts["hold"] not in held),
            ("the journal does not know it", {each["number"] for each in told} != {1}),
        )
        if is_so
    ]


STORIES = {
    "init": Story(prepare_nothing, init, init_again_and_go_on, judge_init, begins_with_store=False),
    "correction": Story(
        prepare_correction, carry_out_correction, carry_out_again_and_answer, judge_correction
    ),
    "span": Story(prepare_span, destroy_span, destroy_span, judge_span),
    "ingest": Story(prepare_folder, ingest_material, ingest_material, judge_ingest),
    "night": Story(prepare_night, night, night, judge_night),
    "place": Story(prepare_hold, place_hold, place_again_and_dispose, judge_place),
    "lift": Story(prepare_lift, lift, lift_again_and_dispose, judge_lift),
}


def judge_corpse(story: Story, folder: Path) -> list[str]:
    """The faults of a store whose process has just been killed."""
    try:
        app = open_app(folder / "store")
    except (CatalogueDisagrees, InvalidInput, NotFound):
        if story.begins_with_store:
            raise
        return []
    try:
        return faults_at_any_time(app)
    finally:
        app.close()


def judge_at_rest(story: Story, folder: Path, facts: Facts) -> list[str]:
    """The faults of a store on which the command was given again."""
    app = open_app(folder / "store")
    try:
        return faults_at_rest(app) + story.judge(app, facts)
    finally:
        app.close()
