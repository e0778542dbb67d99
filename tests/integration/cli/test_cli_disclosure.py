"""Handing an answer over by the command line, to whoever opens the link in the end."""

import json
import shutil
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from retention.disposal import verifier
from retention.kernel.clock import SystemClock
from tests.builders.outbox import served
from tests.integration.cli.conftest import Shell

NAME = "髙橋 花子"
BASE = "https://answers.example.jp"


@pytest.fixture(scope="module")
def answered(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A complaint that was answered; packaged, with the verifier beside it. Made once."""
    folder = tmp_path_factory.mktemp("answered")
    shutil.copytree(template, folder, dirs_exist_ok=True)
    shell = Shell(folder)
    found = shell.json("request", "file", "complaint", "--name", NAME).value["receipt"]
    answer = ("--reason", "案内放送が聞き取れませんでした。", "--measure", "音量を改めました。")
    assert shell("request", "decide", found, "answered", *answer).code == 0
    assert shell("request", "approve", found, who="suzuki").code == 0
    out = ("--zip", str(folder / "answer.zip"), "--with-verifier", "--out", str(folder / "letter.pdf"))
    made = shell.json("request", "package", found, *out).value
    assert made["package"]["files"] == ["manifest.json", "manifest.sig", "README.txt", "letter.pdf"]
    return folder


@pytest.fixture
def shell(answered: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.setenv("RETENTION_LINK_BASE_URL", BASE)
    shutil.copytree(answered, tmp_path / "copy")
    return Shell(tmp_path / "copy")


@pytest.fixture
def receipt(shell: Shell) -> str:
    (found,) = shell.json("request", "list").value
    return str(found["receipt"])


def link(shell: Shell, receipt: str) -> tuple[str, str]:
    value = shell.json("request", "deliver", receipt, "--link").value
    return value["url"], value["passphrase"]


def test_the_written_package_holds_for_the_verifier_that_was_written_beside_it(
    shell: Shell, receipt: str
) -> None:
    assert receipt
    key = shell.json("audit", "key").value["public_key"]
    line = [sys.executable, "-I", "verify_package.py", "answer.zip", "--key", key]
    done = subprocess.run(line, cwd=shell.folder, capture_output=True, text=True, check=True)
    assert "The package holds: 2 files, and nothing else." in done.stdout
    assert (shell.folder / "letter.pdf").read_bytes().startswith(b"%PDF")
    assert verifier.check_package(shell.folder / "answer.zip")[0]["receipt"] == receipt
    assert (shell.folder / "answer.zip").stat().st_mode & 0o777 == 0o600


def test_a_link_is_shown_once_and_served_from_the_outbox_alone(shell: Shell, receipt: str) -> None:
    url, passphrase = link(shell, receipt)
    assert url.startswith(f"{BASE}/d/")
    assert shell.json("request", "show", receipt).value["deliveries"][0]["state"] == "waiting"
    with served(shell.home / "outbox") as outbox:
        outbox.clock.set(SystemClock().now())
        connection = HTTPConnection("localhost", outbox.port)
        connection.request("POST", urlsplit(url).path, urlencode({"passphrase": passphrase}).encode())
        content = connection.getresponse().read()
        connection.close()
    assert content == (shell.folder / "answer.zip").read_bytes()
    (row,) = shell.json("disclosure", "collect").value
    assert (row["receipt"], row["state"], row["link"]["starts"]) == (receipt, "downloaded", 1)
    assert shell.json("request", "show", receipt).value["stage"] == "delivered"


def test_an_archive_and_a_route_are_one_delivery(shell: Shell, receipt: str) -> None:
    out = shell.folder / "post.zip"
    answer = shell("request", "deliver", receipt, "--archive", str(out))
    assert "Passphrase: " in answer.out
    assert "--route registered-post" in answer.err
    assert out.read_bytes()[:2] == b"PK"
    assert shell.json("request", "show", receipt).value["stage"] == "packaged"
    assert shell("request", "deliver", receipt, "--route", "registered-post").code == 0
    (row,) = shell.json("disclosure", "list").value
    assert (row["route"], row["state"], row["in_time"]) == ("registered-post", "handed-over", True)
    assert row["archive_sha256"]
    assert "registered-post" in shell("disclosure", "list").out


def test_a_link_that_died_is_shown_so_that_somebody_calls(shell: Shell, receipt: str) -> None:
    url, _ = link(shell, receipt)
    with served(shell.home / "outbox") as outbox:
        outbox.clock.set(SystemClock().now())
        for _ in range(5):
            outbox.ask("POST", urlsplit(url).path, b"passphrase=guess")
    answer = shell("disclosure", "collect")
    assert "died" in answer.out
    assert f"The answer to request {receipt} was not downloaded (died): call the person." in answer.err
    assert shell("disclosure", "collect").out == "Nothing new.\n"


@pytest.mark.parametrize("line", [(), ("--link", "--route", "post"), ("--link", "--archive", "x.zip")])
def test_an_answer_goes_one_way_at_a_time(shell: Shell, receipt: str, line: tuple[str, ...]) -> None:
    answer = shell("request", "deliver", receipt, *line)
    assert (answer.code, "one way at a time" in answer.err) == (11, True)


@pytest.mark.parametrize(
    "url", ["", "http://answers.example.jp", "ftp://x", "https://x/path", "answers.example.jp"]
)
def test_links_need_an_address_that_is_served_over_tls(
    shell: Shell, receipt: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RETENTION_LINK_BASE_URL", url)
    assert shell("request", "deliver", receipt, "--link").code == 11
    assert shell.json("disclosure", "list").value == []


def test_nothing_that_was_printed_for_a_machine_names_the_requester(shell: Shell, receipt: str) -> None:
    link(shell, receipt)
    said = [
        shell.json(*line)
        for line in (("disclosure", "list"), ("disclosure", "collect"), ("request", "show", receipt))
    ]
    assert NAME not in json.dumps([each.out + each.err for each in said], ensure_ascii=False)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("--host", "0.0.0.0"), "without TLS only this machine"),
        (("--host", "192.0.2.1"), "without TLS only this machine"),
        (("--certificate", "cert.pem"), "come together"),
        (("--certificate", "cert.pem", "--private-key", "key.pem"), "is not there"),
        (("--base-url", "http://answers.example.jp"), "need https"),
    ],
)
def test_the_public_is_never_served_in_the_clear(
    nowhere: Shell, tmp_path: Path, line: tuple[str, ...], said: str
) -> None:
    """Serving needs an outbox, and no store."""
    answer = nowhere("disclosure", "serve", "--outbox", str(tmp_path / "outbox"), *line, who=None)
    assert (answer.code, said in answer.err) == (11, True)
