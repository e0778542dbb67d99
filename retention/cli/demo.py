"""retention demo: the whole story on a new store, told with the commands that anyone would type.

Nothing here does what a command cannot: each step prints its command and runs
it. The material is made from packages (spoken calls, footage with a person),
or comes from `--media DIR`.
"""

import json
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from retention.cli import shared
from retention.cli.shared import EPILOG, INVOCATION, out, say, styled
from retention.kernel.clock import SystemClock
from retention.kernel.errors import InvalidInput, RetentionError
from retention.wiring import demo_material

ZONE = "Asia/Tokyo"
CALLER = "03-5550-0143"
OPERATOR, MANAGER = "sato", "tanaka"


def add_to(root: typer.Typer) -> None:
    """Hang the command into the tree."""
    root.command("demo", epilog=EPILOG)(demo)


@dataclass(slots=True)
class Story:
    """Runs commands, shows them, and remembers what they answered."""

    home: Path
    steps: list[dict[str, Any]] = field(default_factory=list)
    is_quiet: bool = False

    def tell(self, text: str) -> None:
        """A sentence to the reader."""
        if not self.is_quiet:
            out.print()
            out.print(styled(text, "bold cyan"))

    def run(self, line: str, *, who: str = OPERATOR, may_fail: bool = False) -> int:
        """Run one command line as `who` would; its exit code.

        Raises:
            RetentionError: The command failed, and the story does not expect it to.
        """
        code, _ = self._run(line, who, is_json=False)
        if code and not may_fail:
            raise RetentionError(f"the demo's step failed with exit code {code}: retention {line}")
        return code

    def ask(self, line: str, who: str = OPERATOR) -> Any:
        """Run one command with --json, silently; its answer, or a list of its lines."""
        _, text = self._run(line, who, is_json=True)
        lines = [json.loads(each) for each in text.splitlines() if each]
        return lines[0] if len(lines) == 1 else lines

    def _run(self, line: str, who: str, *, is_json: bool) -> tuple[int, str]:
        from retention.cli.main import run  # noqa: PLC0415 - the tree imports this noun

        arguments = ["--home", str(self.home), "--as", who, *shlex.split(line)]
        if not is_json and not self.is_quiet:
            out.print(styled("$", "dim"), styled(f"retention {line}", "green"), styled(f"--as {who}", "dim"))
            return run(arguments), ""
        captured = StringIO()
        with redirect_stdout(captured):
            code = run([*arguments, "--json"])
        self.steps.append({"command": f"retention {line}", "as": who, "exit_code": code})
        return code, captured.getvalue()


def demo(
    media: Annotated[
        Path | None, typer.Option(help="A folder of your own calls and footage, instead of what we make.")
    ] = None,
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop when the story is told.")] = False,
) -> None:
    """Tell the whole story on a new store: take in, explain, hold, find, open, dispose, prove, restore."""
    wants_json = INVOCATION.json
    home = shared.home_given() or _free_home()
    if home.exists() and any(home.iterdir()):
        raise InvalidInput(
            f"{home} is not empty; the demo needs a new store", hint="Name another folder with --home."
        )
    home.mkdir(parents=True, exist_ok=True)
    story = Story(home, is_quiet=wants_json)
    began = SystemClock().monotonic()
    _tell(story, _material(story, media))
    took_s = SystemClock().monotonic() - began
    INVOCATION.json = wants_json
    shared.show({"home": str(home), "took_s": round(took_s, 1), "steps": story.steps}, _next(home, took_s))
    if not no_serve and not wants_json:
        story.run("serve")


def _free_home() -> Path:
    """./retention-demo, or the first of its followers that is free."""
    first = Path("retention-demo")
    names = [first, *(Path(f"retention-demo-{number}") for number in range(2, 1000))]
    return next(name for name in names if not name.exists())


def _material(story: Story, given: Path | None) -> Path:
    folder = story.home / "material"
    story.tell("Calls and footage" + (f" from {given}." if given else ": made here, from packages."))
    with shared.progress("Making material") as tell:
        made = demo_material(folder, given, tell)
    if not made.calls and not made.footage:
        raise InvalidInput(f"{given} holds no call and no footage that can be read")
    now = SystemClock().now().astimezone(ZoneInfo(ZONE)).replace(minute=0, second=0, microsecond=0)
    _describe(
        folder / "calls",
        made.calls,
        now,
        [3, 215, 2],
        [_people(CALLER), _people("090-5555-0199"), _people("非通知")],
    )
    _describe(folder / "lobby", made.footage, now, [40, 2, 39], [])
    return folder


def _people(caller: str) -> list[dict[str, str]]:
    return [
        {"side": "agent", "name": "Suzuki"},
        {"side": "caller", "phone": caller, "age_band": "40-49", "gender": "female"},
    ]


def _describe(
    folder: Path, files: list[Path], now: datetime, ages: list[int], people: list[list[dict[str, str]]]
) -> None:
    """Write the manifest a recorder would write."""
    entries = []
    for number, path in enumerate(files):
        entry: dict[str, Any] = {
            "file": path.name,
            "native_id": f"{folder.name}-{number + 1}",
            "started_at": (now - timedelta(days=ages[number % len(ages)], hours=number)).isoformat(),
        }
        if people:
            entry |= {
                "participants": people[number % len(people)],
                "tags": ["do-not-record"] if number == 2 else [],
                "announcement": {"version": "ivr-3", "offset_s": 1.5},
            }
        entries.append(entry)
    if entries:
        (folder / "manifest.json").write_text(
            json.dumps({"recordings": entries}, ensure_ascii=False, indent=1), encoding="utf-8"
        )


def _tell(story: Story, material: Path) -> None:
    story.tell(
        "A store: keys, an empty vault, a catalogue, and a policy for a Japanese company as its schedule."
    )
    story.run("init --pack japan")
    story.run(
        f"source add support-line --kind call --site tokyo --zone {ZONE} --purpose service-quality --channel agent --channel caller --notice ivr-3"
    )
    story.run(
        f"source add lobby-1 --kind footage --site tokyo --zone {ZONE} --purpose crime-prevention --notice sign-2 --clock-error 5"
    )
    _take_in(story, material)
    _use(story)
    _hold_and_dispose(story)
    _change_and_check(story)


def _take_in(story: Story, material: Path) -> None:
    story.tell(
        "Recordings come in: inspected, sealed, catalogued with their purposes. Who does not want to be recorded is not; what cannot be read is kept aside."
    )
    (material / "calls" / "cut-off.wav").write_bytes(b"RIFF\x24\x00\x00\x00WAVEfmt ")
    for folder, source in (("calls", "support-line"), ("lobby", "lobby-1")):
        story.run(f"ingest {shlex.quote(str(material / folder))} --source {source}")
    story.run("quarantine list")


def _use(story: Story) -> None:
    found = story.ask(f"search --phone {CALLER}")
    first = _first(found) or _first(story.ask("search"))
    if first is None:
        return
    story.tell(
        "A person is found by her number, though the catalogue holds no number that anybody could read."
    )
    story.run(f"search --phone {CALLER}")
    story.run(f"explain {first['id']}")
    story.tell("It opens for a purpose it carries, and for no other. Both are on record.")
    purpose = first["purposes"][0]["purpose"]
    story.run(
        f"open {first['id']} --purpose {purpose} --out {shlex.quote(str(story.home / 'opened.bin'))}",
        may_fail=True,
    )
    story.run(
        f"open {first['id']} --purpose marketing --out {shlex.quote(str(story.home / 'never.bin'))}",
        may_fail=True,
    )


def _first(found: Any) -> dict[str, Any] | None:
    rows = found if isinstance(found, list) else [found]
    return rows[0] if rows else None


def _hold_and_dispose(story: Story) -> None:
    story.tell("A backup is made. Keys are not in it: they are kept apart, and only what lives has one.")
    story.run(f"backup {shlex.quote(str(story.home / 'before-the-night.backup'))}")
    story.tell("What is due tonight, and why.")
    story.run("due --why")
    overdue = [
        row
        for row in _rows(story.ask("search"))
        if row["purposes"] and row["purposes"][0]["due_on"] <= story.ask("due")["on"]
    ]
    if overdue:
        story.tell("The police ask for one of them: a hold keeps it, whatever the schedule says.")
        review = SystemClock().now().date() + timedelta(days=90)
        story.run(
            f"hold place --recording {overdue[0]['id']} --kind legal --reason 'police inquiry 14' --review-on {review}"
        )
    story.tell("Then the night: keys are destroyed, bytes erased, and a certificate says so.")
    story.run("disposal plan")
    story.run("disposal run", who=MANAGER)
    runs = [
        row for row in _rows(story.ask("disposal list")) if row["certificate"] and row["kind"] != "refused"
    ]
    if runs:
        certificate = story.home / "certificate.jsonl"
        story.run(
            f"disposal certificate {runs[0]['run']} --out {shlex.quote(str(certificate))} --with-verifier"
        )
        story.tell("Anyone checks the certificate offline, with one small file and without this service.")
        _verify(story, certificate)


def _rows(found: Any) -> list[dict[str, Any]]:
    return found if isinstance(found, list) else [found]


def _verify(story: Story, certificate: Path) -> None:
    verifier = certificate.with_name("verify_certificate.py")
    done = subprocess.run(
        [sys.executable, str(verifier), str(certificate)], capture_output=True, text=True, check=False
    )
    if not story.is_quiet:
        out.print(styled("$", "dim"), styled(f"python {verifier.name} {certificate.name}", "green"))
        out.print(done.stdout.strip(), markup=False)
    if done.returncode:
        raise RetentionError(f"the certificate does not hold: {done.stderr.strip()}")


def _change_and_check(story: Story) -> None:
    story.tell(
        "Operations want to keep footage for 14 days instead of 30. A plan shows what that would do before anything happens."
    )
    policy = story.home / "policy.yaml"
    shorter = story.home / "policy-shorter.yaml"
    shorter.write_text(policy.read_text(encoding="utf-8").replace("P30D", "P14D"), encoding="utf-8")
    story.run(f"schedule plan {shlex.quote(str(shorter))}")
    story.tell(
        "The old backup is restored: nothing that was disposed of comes back, and the hold that was placed after it is there."
    )
    story.run(f"restore {shlex.quote(str(story.home / 'before-the-night.backup'))} --yes")
    story.run("hold list")
    story.run("due")
    story.tell("Everything is in its place, and nobody has touched the record.")
    story.run("check --level digest")
    story.run("audit verify")


def _next(home: Path, took_s: float) -> list[Any]:
    say("")
    return [
        "",
        styled(f"That was the story, in {took_s:.0f} seconds. The store is yours to go on with:", "bold"),
        f"  export RETENTION_HOME={home}",
        "  retention search                 what is held, and until when",
        "  retention hold list              what is kept longer, and why",
        "  retention disposal list          the nights, with their certificates",
        "  retention audit export --out -   everything that was done, and by whom",
        f"  {home}/policy.yaml   the promises, as text; edit it, then `retention schedule plan`",
    ]
