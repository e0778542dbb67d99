"""Files that want to hurt: they cost one answer, never the asker, never for long, never much memory."""

import os
import random
import resource
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import pytest

from media import container, process
from media.answer import HEAD, Outcome
from media.errors import ToolFailed, Unreadable
from media.probe import Inspector
from tests.builders.kernel import needs
from tests.golden.material import write_pictures, write_sound

MUTANTS = 240
TIMEOUT_SECONDS = 10.0
MEMORY_BYTES = 1024**3


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    with Inspector(workers=2, memory_bytes=MEMORY_BYTES) as shared:
        yield shared


def _look(inspector: Inspector, path: Path) -> str:
    """The verdict in words; anything but an inspection or `Unreadable` fails the test."""
    began = time.monotonic()
    try:
        verdict: str = inspector.inspect(
            path, timeout_seconds=TIMEOUT_SECONDS, want_thumbnail=True, want_peaks=True
        ).kind
    except Unreadable as error:
        verdict = error.reason
    assert verdict
    assert verdict.isprintable()
    assert time.monotonic() - began < 2 * TIMEOUT_SECONDS + 5
    return verdict


# -- mutants ----------------------------------------------------------------


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    made = [
        write_sound(folder / "a", seconds=0.3, channels=2),
        write_sound(folder / "b", seconds=0.3, codec="pcm_mulaw"),
        write_sound(folder / "c", seconds=0.3, codec="adpcm_ima_wav"),
        write_sound(folder / "d", seconds=0.3, codec="flac", container="flac"),
        write_sound(folder / "e", seconds=0.3, codec="libopus", container="ogg", rate=48_000),
        write_pictures(folder / "f", frames=8, codec="libx264"),
        write_pictures(folder / "g", frames=8, codec="mjpeg", container="avi"),
        write_pictures(folder / "h", frames=8, codec="libx264", container="matroska"),
        write_pictures(folder / "i", frames=8, codec="libx264", container="mpegts"),
        write_pictures(folder / "j", frames=8, codec="mpeg4", options={"movflags": "faststart"}),
        write_pictures(folder / "k", frames=8, codec="libx264", container="flv"),
    ]
    return [path.read_bytes() for path in made]


def _flip_bits(data: bytearray, dice: random.Random) -> None:
    for _ in range(dice.randint(1, 12)):
        data[dice.randrange(min(len(data), 2048))] ^= 1 << dice.randrange(8)


def _write_extremes(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(min(len(data) - 8, 1024))
    data[at : at + 4] = dice.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0"])


def _truncate(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(1, len(data)) :]


def _copy_a_piece(data: bytearray, dice: random.Random) -> None:
    start, at = dice.randrange(len(data)), dice.randrange(len(data))
    data[at:at] = data[start : start + dice.randint(1, 512)]


MUTATIONS: list[Callable[[bytearray, random.Random], None]] = [
    _flip_bits,
    _write_extremes,
    _truncate,
    _copy_a_piece,
]


def _mutant(seeds: list[bytes], number: int) -> bytes:
    dice = random.Random(number)
    data = bytearray(seeds[number % len(seeds)])
    for _ in range(dice.randint(1, 3)):
        if len(data) > 64:
            dice.choice(MUTATIONS)(data, dice)
    return bytes(data)


def test_every_mutant_gets_an_answer_and_the_parent_stays_well(
    inspector: Inspector, seeds: list[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "mutant"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    verdicts = []
    for number in range(MUTANTS):
        path.write_bytes(_mutant(seeds, number))
        verdicts.append(_look(inspector, path))
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    readable = sum(verdict in {"audio", "video"} for verdict in verdicts)
    assert grown_kib < 64 * 1024
    assert 0 < readable < MUTANTS, "mutants that are all the same test nothing"


@pytest.mark.shared_data
def test_mutants_of_real_files_get_an_answer_too(
    inspector: Inspector, shared_data: Path, tmp_path: Path
) -> None:
    files = sorted((shared_data / "odd").iterdir())
    seeds = [data for file in files if len(data := file.read_bytes()[:200_000]) > 64]
    for number in range(2 * len(seeds)):
        (tmp_path / "mutant").write_bytes(_mutant(seeds, number))
        _look(inspector, tmp_path / "mutant")


# -- files made on purpose --------------------------------------------------


def _wave(channels: int, rate: int, bits: int = 16, data: bytes = b"\0" * 4000) -> bytes:
    block = channels * bits // 8 & 0xFFFF
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * block & 0xFFFFFFFF, block, bits)
    return b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<I", 16) + form + b"data\xff\xff\xff\xff" + data


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"\0", "no recording in a format"),
        (b"\0" * 100_000, "no recording in a format"),
        (b'{"status":"completed"}', "no recording in a format"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "header|no recording"),
        (_wave(1, 8000, data=b""), "no sound after it"),
        (_wave(65_535, 8000), "channels|decode"),
        (_wave(64, 8000), "claims 64 channels"),
        (_wave(1, 4_000_000_000), "samples a second|decode|header"),
        (_wave(1, 0), "samples a second|decode|header"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\0" * 500, "still picture|no recording"),
        (b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nx.ts\n#EXT-X-ENDLIST\n", "no recording|playlist"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "a playlist .concat."),
        (
            b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\n",
            "playlist|no recording",
        ),
    ],
)
def test_what_is_no_recording_is_refused_in_words(
    inspector: Inspector, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "file.mp4"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        inspector.inspect(path, timeout_seconds=TIMEOUT_SECONDS, want_peaks=True)


def test_what_is_no_file_is_refused_without_waiting(inspector: Inspector, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero"), tmp_path / "missing"):
        began = time.monotonic()
        with pytest.raises(Unreadable, match=r"not a regular file|cannot be opened"):
            inspector.inspect(path, timeout_seconds=TIMEOUT_SECONDS)
        assert time.monotonic() - began < TIMEOUT_SECONDS / 2


def test_a_playlist_reaches_neither_the_network_nor_another_file(
    inspector: Inspector, tmp_path: Path
) -> None:
    other = write_pictures(tmp_path / "other.ts", container="mpegts")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/a.ts"
        for number, target in enumerate((url, other.as_uri(), str(other))):
            playlist = (
                f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n"
            )
            (tmp_path / f"{number}.m3u8").write_text(playlist)
            with pytest.raises(Unreadable):
                inspector.inspect(tmp_path / f"{number}.m3u8", timeout_seconds=TIMEOUT_SECONDS)
        with pytest.raises(TimeoutError):
            server.accept()


def _tracks(path: Path) -> int:
    try:
        with container.open_recording(path, "hls") as opened:
            return len(opened.container.streams)
    except Unreadable:
        return 0


def test_even_a_demuxer_for_playlists_could_not_leave_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second wall: should the list of containers ever let one through, it still opens nothing."""
    monkeypatch.setattr(container, "CONTAINERS", ("hls", "mpegts"))
    monkeypatch.setattr(container, "parse_raw_format", lambda _: ("hls", {}))
    other = write_pictures(tmp_path / "other.ts", container="mpegts")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        for target in (f"http://127.0.0.1:{server.getsockname()[1]}/a.ts", other.as_uri(), "other.ts"):
            playlist = tmp_path / "list.m3u8"
            playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n")
            assert _tracks(playlist) == 0
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_picture_of_absurd_size_is_refused(inspector: Inspector, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="the picture claims to be 20000 x 16 pixels"):
        inspector.inspect(_one_black_picture(tmp_path / "wide", 20_000, 16))


def test_a_sparse_terabyte_is_refused_or_read_within_the_time(inspector: Inspector, tmp_path: Path) -> None:
    path = tmp_path / "huge"
    path.write_bytes(_wave(1, 8000))
    try:
        os.truncate(path, 1 << 40)
    except OSError:
        pytest.skip("this file system has no sparse files of that size")
    began = time.monotonic()
    with pytest.raises(Unreadable, match="took longer than 2 seconds"):
        inspector.inspect(path, timeout_seconds=2, want_peaks=True)
    assert time.monotonic() - began < 8


def _one_black_picture(path: Path, width: int, height: int) -> Path:
    frame = av.VideoFrame(width, height, "yuvj420p")
    for plane in frame.planes:
        plane.update(bytes(plane.buffer_size))
    with av.open(path, "w", format="avi") as out:
        stream = out.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        out.mux([*stream.encode(frame), *stream.encode(None)])
    return path


def test_a_picture_that_needs_more_memory_than_there_is_costs_one_answer(tmp_path: Path) -> None:
    footage = _one_black_picture(tmp_path / "large", 8192, 8192)
    small = write_sound(tmp_path / "small")
    with Inspector(memory_bytes=450 * 1024**2) as narrow:
        assert "needs more than 0.4 GiB of memory" in _look(narrow, footage)
        assert narrow.inspect(small).kind == "audio"


# -- workers that die -------------------------------------------------------


def _pids() -> set[int]:
    """Our running workers."""
    own = str(os.getpid())
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(") ")[2].split()
            command = (status.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if fields[1] == own and fields[0] != "Z" and b"media.inspect_worker" in command:
            found.add(int(status.parent.name))
    return found


def test_a_worker_that_was_killed_meanwhile_is_replaced_unnoticed(tmp_path: Path) -> None:
    call = write_sound(tmp_path / "call")
    others = _pids()
    with Inspector() as inspector:
        inspector.inspect(call)
        (worker,) = _pids() - others
        os.kill(worker, signal.SIGKILL)
        assert inspector.inspect(call).kind == "audio"
        (second,) = _pids() - others
        assert second != worker
    assert _pids() == others


def test_a_worker_killed_while_it_looks_is_tried_once_more_and_then_blamed_on_the_file(
    tmp_path: Path,
) -> None:
    others = _pids()
    path = tmp_path / "huge"
    path.write_bytes(_wave(1, 8000))
    os.truncate(path, 1 << 36)
    stop = threading.Event()

    def kill_busy_workers() -> None:
        while not stop.wait(0.2):
            for worker in _pids() - others:
                if any(link.readlink() == path for link in Path(f"/proc/{worker}/fd").iterdir()):
                    os.kill(worker, signal.SIGSEGV)

    killer = threading.Thread(target=kill_busy_workers)
    with Inspector() as inspector:
        inspector.inspect(write_sound(tmp_path / "call"))
        killer.start()
        try:
            with pytest.raises(Unreadable, match=r"crashes the decoder \(SIGSEGV\)"):
                inspector.inspect(path, timeout_seconds=30, want_peaks=True)
        finally:
            stop.set()
            killer.join()
        assert inspector.inspect(write_sound(tmp_path / "call")).kind == "audio"


def test_a_worker_ends_itself_when_its_parent_is_gone(tmp_path: Path) -> None:
    """The alarm is the worker's own: an orphan that is stuck in a file does not live on."""
    path = tmp_path / "huge"
    path.write_bytes(_wave(1, 8000))
    os.truncate(path, 1 << 36)
    argv, environment = process.python_module("media.inspect_worker", str(MEMORY_BYTES))
    asker, answerer = socket.socketpair()
    with (
        asker,
        answerer,
        path.open("rb") as file,
        subprocess.Popen(
            argv, stdin=answerer.fileno(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        ) as worker,
    ):
        assert worker.stdout is not None
        assert HEAD.unpack(worker.stdout.read(HEAD.size))[0] == Outcome.READY
        request = (
            '{"raw_format":null,"want_thumbnail":false,"want_peaks":true,'
            '"is_thorough":false,"timeout_seconds":0.5}\n'
        )
        socket.send_fds(asker, [request.encode()], [file.fileno()])
        assert worker.wait(20) == -signal.SIGALRM


def test_an_interrupted_question_leaves_no_answer_behind_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short, long = write_sound(tmp_path / "short"), write_sound(tmp_path / "long", seconds=2)

    def interrupted(*_: object) -> bytes:
        raise KeyboardInterrupt

    with Inspector() as inspector:
        inspector.inspect(short)
        with monkeypatch.context() as patch:
            patch.setattr("media.probe._Worker._read", interrupted)
            with pytest.raises(KeyboardInterrupt):
                inspector.inspect(short)
        assert inspector.inspect(long).duration_us == 2_000_000


@pytest.mark.parametrize(
    "answer",
    [
        HEAD.pack(99, 0, 0, 0),
        HEAD.pack(Outcome.INSPECTED, 2, 0, 0) + b"{}",
        HEAD.pack(Outcome.INSPECTED, 1 << 31, 0, 0),
        HEAD.pack(Outcome.INSPECTED, 5, 0, 0) + b"ab",
    ],
)
def test_a_worker_that_answers_nonsense_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """A stand-in worker: it greets as it should, and then says `answer`."""
    (tmp_path / "captured_worker.py").write_text(
        "import sys\n"
        f"sys.stdout.buffer.write({HEAD.pack(Outcome.READY, 0, 0, 0)!r})\nsys.stdout.flush()\n"
        f"sys.stdin.readline()\nsys.stdout.buffer.write({answer!r})\nsys.stdout.flush()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("media.probe._WORKER", "captured_worker")
    with Inspector() as inspector, pytest.raises(Unreadable, match="crashes the decoder"):
        inspector.inspect(write_sound(tmp_path / "call"))


#: A decoder that was taken over: it tries what it should not be able to do, and tells what it could.
_CAPTURED = """
import os, socket, subprocess, sys
from pathlib import Path
import media.inspect_worker as worker
from media.errors import Unreadable

PARENT = os.getppid()
TRIES = {
    "read its file": lambda file: os.pread(file, 4, 0),
    "write to its file": lambda file: os.open(f"/proc/self/fd/{file}", os.O_RDWR),
    "open its file by name": lambda file: os.open(os.readlink(f"/proc/self/fd/{file}"), os.O_RDONLY),
    "read a password file": lambda file: Path("/etc/passwd").read_bytes(),
    "list a folder": lambda file: os.listdir("/tmp"),
    "make a file": lambda file: Path("/dev/shm/captured").touch(),
    "look into its parent's memory": lambda file: open(f"/proc/{PARENT}/mem", "rb"),
    "list its parent's files": lambda file: os.listdir(f"/proc/{PARENT}/fd"),
    "signal its parent": lambda file: os.kill(PARENT, 0),
    "connect": lambda file: socket.create_connection(("127.0.0.1", PORT), 1),
    "start a program": lambda file: subprocess.run([sys.executable, "-c", "0"], check=True),
}

def examine(file, wishes, raw_format):
    could = []
    for name, attempt in TRIES.items():
        try:
            attempt(file)
        except PermissionError:
            continue
        could.append(name)
    raise Unreadable("; ".join(could))

worker.examine = examine
worker.main()
"""


def test_a_decoder_that_was_taken_over_has_the_file_that_it_was_given_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("landlock", "seccomp")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("media.probe._WORKER", "taken_over_worker")
    call = write_sound(tmp_path / "call")
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = _CAPTURED.replace("PORT", str(server.getsockname()[1]))
        (tmp_path / "taken_over_worker.py").write_text(code)
        with Inspector() as inspector:
            for _ in range(2):
                with pytest.raises(Unreadable) as told:
                    inspector.inspect(call)
                assert told.value.reason == "read its file"


@pytest.mark.parametrize("ahead", [False, True], ids=["started for the file", "started ahead"])
def test_a_worker_that_cannot_start_is_the_machines_fault_not_the_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, ahead: bool
) -> None:
    (tmp_path / "broken_worker.py").write_text("raise ImportError('libavcodec.so is missing')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("media.probe._WORKER", "broken_worker")
    with Inspector() as inspector:
        if ahead:
            inspector.get_ready()
        with pytest.raises(ToolFailed, match=r"libavcodec\.so is missing"):
            inspector.inspect(write_sound(tmp_path / "call"))
