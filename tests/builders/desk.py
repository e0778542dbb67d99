"""The desk at which people's requests are answered, by the command line alone: a store, whoever asks, and what was said.

The store holds two calls of Hanako's, one of somebody else's, and what a camera
saw. Recorders put people's names and numbers wherever they can, and so does
everybody here: into files, sources, sides and papers.
"""

from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from retention.disposal import verifier
from retention.founding import open_app
from tests.builders.identifiers import Words, insiders_in, members, people_in, squeeze, text_of
from tests.integration.cli.conftest import Answer, Shell

CLERK, SECOND, REVIEWER = "matsumoto", "takahashi", "shimizu"
TOKYO = ZoneInfo("Asia/Tokyo")
LINE, CAMERA = "line-of-kimura", "corridor-of-sasaki"
PHONE, CUSTOMER = "03-5550-0177", "C-100177"
RIGHT_PHONE = "03-5550-0188"
POLICE = "丸の内警察署"
#: Whoever asks: the name that the letter goes to, and where.
NAMES = {"ja": "山田 花子", "en": "Hanako Yamada"}
ADDRESSES = {"ja": "東京都千代田区霞が関一丁目1番1号", "en": "1-1 Kasumigaseki, Chiyoda-ku"}
OWN = (*NAMES.values(), *ADDRESSES.values(), PHONE, CUSTOMER, RIGHT_PHONE)
PROVISION = {
    "subject": "山田 花子",
    "statute": "刑事訴訟法第197条第2項",
    "reference_no": "丸刑捜第120号",
    "requested_by": "巡査部長 小川 健太郎",
    "verified_by": "代表電話に折り返し、林 三千代が確認",
    "why_minimal": "通話一件に限る",
}

#: What may be done with a request at each stage, as docs/requests.md draws it.
POSSIBLE = {
    "filed": {"identify", "withdraw"},
    "identified": {"match", "withdraw"},
    "matched": {"match", "decide", "withdraw"},
    "decided": {"approve", "send-back", "withdraw"},
    "approved": {"package"},
    "carried-out": {"package"},
    "packaged": {"deliver"},
    "delivered": {"deliver", "close"},
    "closed": set[str](),
}
ACTED_ON = POSSIBLE | {"approved": {"carry-out", "send-back"}}
COMPLAINT = POSSIBLE | {
    "filed": {"identify", "decide", "withdraw"},
    "identified": {"decide", "withdraw"},
}
PATHS = {"complaint": COMPLAINT} | dict.fromkeys(
    ("correction", "suspension", "erasure", "stop-provision"), ACTED_ON
)
#: How each step is asked for.
STEPS: dict[str, tuple[str, ...]] = {
    "identify": ("--method", "drivers-licence"),
    "match": (),
    "decide": ("full",),
    "approve": (),
    "send-back": ("--reason", "look again"),
    "carry-out": (),
    "package": (),
    "deliver": ("--route", "registered-post"),
    "close": (),
    "withdraw": ("--reason", "she called"),
}


@dataclass
class Desk:
    """A store, what it holds, and all that was printed."""

    shell: Shell
    calls: tuple[str, str]  #: Hanako's, the earlier one first
    clip: str  #: what the camera saw
    other: str  #: somebody else's call
    originals: dict[str, Path]
    started_at: datetime
    provision: str  #: the digest of that by which the police were given the later call
    said: list[tuple[str, Answer]] = field(default_factory=list)
    everybody: Words = frozenset()  #: whom it knew before; what is erased meanwhile is not forgotten here

    def __call__(self, *line: str, who: str = CLERK, fails: int = 0) -> Any:
        """What a command answers, or how it refuses."""
        answer = self.shell.json(*line, who=who)
        self.said.append((" ".join(line), answer))
        assert answer.code == fails, answer.err
        if fails:
            return answer.error
        return answer.lines if line[0] in ("search", "ingest") else answer.value

    def people(self) -> Words:
        """Everybody whom the store knows or knew, in every spelling."""
        with closing(open_app(self.shell.home)) as app:
            return self.everybody | people_in(app)

    def insiders(self) -> Words:
        """Its sources and its staff."""
        with closing(open_app(self.shell.home)) as app:
            return insiders_in(app)

    def line_about(self, recording: str) -> str:
        """How a letter names a recording."""
        found = self("show", recording)
        start, end = (
            datetime.fromisoformat(found[each]).astimezone(TOKYO) for each in ("started_at", "ended_at")
        )
        return f"{start:%Y-%m-%d %H:%M:%S} - {end:%H:%M:%S} ({recording})"

    def opened(self, recording: str, purpose: str) -> bytes:
        """What a purpose opens."""
        out = self.shell.folder / "opened"
        self("open", recording, "--purpose", purpose, "--out", str(out))
        return out.read_bytes()

    def cannot_open(self, recording: str, purpose: str) -> str:
        """Why a purpose does not open it; and nothing is written."""
        out = self.shell.folder / "refused"
        error = self("open", recording, "--purpose", purpose, "--out", str(out), fails=13)
        assert not out.exists()
        return str(error["message"])

    def found_by(self, phone: str) -> set[str]:
        """The recordings that a search for a number finds."""
        return {each["id"] for each in self("search", "--phone", phone)}

    def propose_provision(self, recording: str, fails: int = 0) -> Any:
        """Somebody wants to give a recording to the police."""
        return self(*provision_line(recording), fails=fails)

    def file(self, kind: str, language: str, *about: str) -> "Case":
        """A request arrives, by default about the requester's telephone number."""
        who = ("--name", NAMES[language], "--contact", ADDRESSES[language], "--language", language)
        filed = self("request", "file", kind, *who, *(about or ("--phone", PHONE)))
        return Case(self, kind, language, filed["receipt"], set(filed["held"])).at("filed")

    def seen_by_the_camera(self) -> tuple[str, ...]:
        """A minute in the corridor, as a request describes it."""
        start, end = (self.started_at + timedelta(seconds=each) for each in (-10, 50))
        return ("--source", CAMERA, "--from", start.isoformat(), "--to", end.isoformat())


@dataclass
class Case:
    """One request, step by step. In Japanese, after each step everything else is tried, and has to say why it is refused."""

    desk: Desk
    kind: str
    language: str
    receipt: str
    held: set[str]

    def do(self, verb: str, *more: str, who: str = CLERK, fails: int = 0) -> Any:
        """One `retention request` about it."""
        return self.desk("request", verb, self.receipt, *more, who=who, fails=fails)

    def at(self, stage: str) -> "Case":
        """It is at this stage, and no step is possible but those of its path."""
        shown = self.do("show")
        assert (shown["stage"], shown["kind"]) == (stage, self.kind)
        if self.language == "ja":
            self._refuses_all_but(PATHS.get(self.kind, POSSIBLE)[stage], stage)
        return self

    def _refuses_all_but(self, possible: set[str], stage: str) -> None:
        for verb in STEPS.keys() - possible:
            error = self.do(verb, *STEPS[verb], who=SECOND, fails=14)
            assert f"request {self.receipt} ({self.kind}) is {stage}" in error["message"]
            assert all(each.replace("-", " ") in error["hint"] for each in possible)
            assert possible or "File a new request" in error["hint"]

    def identified(self) -> "Case":
        """She shows who she is; nothing is said about content before."""
        self.do("identify", *STEPS["identify"])
        return self.at("identified")

    def matched(self, *recordings: str) -> "Case":
        """It is about exactly these, and they are held from the moment of its receipt."""
        assert self.held == set(recordings)
        assert set(self.do("match")["held"]) == set(recordings)
        return self.at("matched")

    def decided(self, *decision: str) -> "Case":
        """One person decides."""
        self.do("decide", *decision)
        return self.at("decided")

    def approved(self, *more: str) -> "Case":
        """Another person agrees; whoever decided may not."""
        assert f"{CLERK} decided request" in self.do("approve", *more, fails=13)["message"]
        self.do("approve", *more, who=SECOND)
        return self.at("approved")

    def carried_out(self) -> dict[str, Any]:
        """What was granted is done."""
        effect: dict[str, Any] = self.do("carry-out")["effect"]
        self.at("carried-out")
        return effect

    def packaged(self) -> "Package":
        """The answer is made, and holds for the offline verifier."""
        out = self.desk.shell.folder / "answer.zip"
        made = self.do("package", "--zip", str(out))
        manifest, _ = verifier.check_package(out, bytes.fromhex(made["public_key"]))
        assert (manifest["receipt"], manifest["kind"]) == (self.receipt, self.kind)
        self.at("packaged")
        return Package(out.read_bytes(), manifest)

    def closed(self) -> "Case":
        """It is handed over, in time, and closed; of its holds none is in force."""
        if self.do("show")["stage"] == "packaged":
            self.do("deliver", *STEPS["deliver"])
        (row,) = self.desk("disclosure", "list")
        assert (row["receipt"], row["in_time"]) == (self.receipt, True)
        self.at("delivered").do("close")
        return self.at("closed")


@dataclass(frozen=True)
class Package:
    """What the person gets."""

    content: bytes
    manifest: dict[str, Any]

    @property
    def files(self) -> dict[str, bytes]:
        return members(self.content)

    @property
    def letter(self) -> str:
        """What the letter says, as a reader reads it."""
        return text_of(self.files["letter.pdf"])

    def says(self, *passages: str) -> None:
        """The letter has each of these, however it is folded into lines."""
        letter = squeeze(self.letter)
        for each in passages:
            assert squeeze(each) in letter, (each, self.letter)


def provision_line(recording: str) -> tuple[str, ...]:
    """The command by which a recording is proposed for the police."""
    fields = [part for name, text in PROVISION.items() for part in ("--field", f"{name}={text}")]
    line = ("provision", "propose", recording, "--to", POLICE, "--basis", "law", "--reason", "an inquiry")
    return (*line, *fields)
