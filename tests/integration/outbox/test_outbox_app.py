"""The public app over real sockets: what people get from it, and what attackers do not."""

import logging
import re
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import IncompleteRead
from pathlib import Path
from urllib.parse import urlencode

import pytest
from justhtml import JustHTML

from retention.kernel.errors import DatabaseBusy
from retention.outbox import app as public
from retention.outbox import server
from retention.outbox.folder import Folder
from retention.outbox.ledger import FORGOTTEN_AFTER, STARTS, TRIES, exclusive
from tests.builders.outbox import CONTENT, PASSPHRASE, Answer, Outbox, Put, served

UNKNOWN = Put("", bytes(32))


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with served(tmp_path / "outbox") as found:
        yield found


def eventually(outbox: Outbox, put: Put, state: str) -> None:
    """Wait for a receipt: the server settles a download when its connection has ended."""
    deadline = time.monotonic() + 20
    while not any(each.id == put.id and each.state == state for each in outbox.folder.receipts()):
        assert time.monotonic() < deadline, [*outbox.folder.receipts()]
        time.sleep(0.02)


def said(answer: Answer) -> tuple[int, bytes]:
    """What distinguishes two answers, but for the date."""
    return answer.status, b"|".join(
        [answer.body, *(f"{k}:{v}".encode() for k, v in sorted(answer.headers.items()) if k != "date")]
    )


# --- what people get


def test_the_page_asks_for_the_passphrase_and_changes_nothing(outbox: Outbox) -> None:
    put = outbox.put()
    for _ in range(20):  # a mail program that looks at every link uses none up
        page = outbox.get(put)
    assert page.status == 200
    text = page.body.decode()
    assert "資料の受け取り" in text
    assert "2026年3月16日" in text
    assert '<html lang="ja">' in text
    assert outbox.post(put).status == 200


def test_the_page_speaks_the_package_s_language_and_offers_the_other(outbox: Outbox) -> None:
    put = outbox.put(language="en")
    assert "Collect your documents" in outbox.get(put).body.decode()
    assert "資料の受け取り" in outbox.ask("GET", put.path + "?language=ja").body.decode()
    assert "Collect your documents" in outbox.ask("GET", put.path + "?language=../../x").body.decode()
    assert "Ihre Unterlagen" in outbox.get(outbox.put(language="de")).body.decode()


def test_the_passphrase_brings_the_content_once(outbox: Outbox) -> None:
    put = outbox.put()
    answer = outbox.post(put)
    assert (answer.status, answer.body) == (200, CONTENT)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="documents.zip"'
    assert answer.headers["content-length"] == str(len(CONTENT))
    eventually(outbox, put, "downloaded")
    assert not outbox.is_there(put)
    assert said(outbox.post(put)) == said(outbox.get(put)) == said(outbox.get(UNKNOWN))
    receipt = outbox.receipt(put)
    assert (receipt.tried, receipt.wrong, receipt.starts, receipt.ended_at) == (0, 0, 1, outbox.clock.now())


@pytest.mark.parametrize(
    "typed", ["K7MQ2XWDP9FS", " k7mq 2xwd p9fs ", "ｋ７ｍｑ－２ｘｗｄ－ｐ９ｆｓ", "k7mq–2xwd—p9fs"]
)
def test_a_passphrase_is_taken_as_it_was_meant(outbox: Outbox, typed: str) -> None:
    assert outbox.post(outbox.put(), typed).status == 200


def test_a_wrong_passphrase_is_told_with_the_tries_that_are_left(outbox: Outbox) -> None:
    put = outbox.put(language="en")
    answer = outbox.post(put, "guess")
    assert answer.status == 403
    assert f"Attempts left: {TRIES - 1}." in answer.body.decode()
    assert outbox.receipt(put).wrong == 1


def test_an_empty_passphrase_costs_no_try(outbox: Outbox) -> None:
    put = outbox.put()
    assert [outbox.post(put, typed).status for typed in ("", "  ", "　")] == [400, 400, 400]
    assert outbox.post(put).status == 200


def test_after_the_last_try_the_link_is_dead_and_its_content_gone(outbox: Outbox) -> None:
    put = outbox.put()
    answers = [outbox.post(put, "guess").status for _ in range(TRIES)]
    assert answers == [403] * (TRIES - 1) + [404]
    assert not outbox.is_there(put)
    assert said(outbox.post(put)) == said(outbox.post(UNKNOWN))
    assert (outbox.receipt(put).state, outbox.receipt(put).wrong) == ("died", TRIES)


def test_the_right_passphrase_at_the_last_try_still_opens(outbox: Outbox) -> None:
    put = outbox.put()
    for _ in range(TRIES - 1):
        outbox.post(put, "guess")
    assert outbox.post(put).status == 200


def test_an_expired_link_answers_exactly_as_one_that_never_was(outbox: Outbox) -> None:
    put = outbox.put(days=1)
    outbox.clock.move(days=1)
    assert said(outbox.get(put)) == said(outbox.get(UNKNOWN))
    assert said(outbox.post(put)) == said(outbox.post(UNKNOWN))
    assert said(outbox.get(put)) == said(outbox.ask("GET", "/d/short")) == said(outbox.ask("GET", "/"))


# --- a download that breaks off


def broken_off(outbox: Outbox, put: Put) -> None:
    """Take a little of a download, and hang up."""
    body = urlencode({"passphrase": PASSPHRASE})
    head = f"POST {put.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    with socket.create_connection(("127.0.0.1", outbox.port), timeout=30) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        line.sendall(head.encode())
        assert line.recv(1000).startswith(b"HTTP/1.1 200")


LONG = bytes(24 << 20)  #: more than any buffer on the way takes


def until_idle(outbox: Outbox, put: Put, starts: int) -> None:
    """Wait until the server has noticed that nobody listens."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = [each for each in outbox.folder.receipts() if each.id == put.id and each.starts == starts]
        if found and outbox.post(put, " ").status == 400:
            return
        time.sleep(0.02)
    raise AssertionError([*outbox.folder.receipts()])


def test_a_download_that_broke_off_may_be_started_again_within_the_hour(outbox: Outbox) -> None:
    put = outbox.put(LONG)
    broken_off(outbox, put)
    until_idle(outbox, put, 1)
    outbox.clock.move(seconds=59 * 60)
    answer = outbox.post(put)
    assert (answer.status, len(answer.body)) == (200, len(LONG))
    eventually(outbox, put, "downloaded")


def test_and_not_later(outbox: Outbox) -> None:
    put = outbox.put(LONG)
    broken_off(outbox, put)
    until_idle(outbox, put, 1)
    outbox.clock.move(seconds=60 * 60)
    assert said(outbox.post(put)) == said(outbox.post(UNKNOWN))
    eventually(outbox, put, "interrupted")
    assert not outbox.is_there(put)


def test_nor_for_ever(outbox: Outbox) -> None:
    put = outbox.put(LONG)
    for number in range(STARTS):
        broken_off(outbox, put)
        if number + 1 < STARTS:
            until_idle(outbox, put, number + 1)
    eventually(outbox, put, "interrupted")
    assert outbox.post(put).status == 404


def test_a_server_that_was_killed_in_a_download_lets_it_start_again(tmp_path: Path) -> None:
    with served(tmp_path) as first:
        put = first.put(LONG)
        ledger_says_sending(first, put)
    with served(tmp_path, first):
        assert first.post(put).status == 200


def ledger_says_sending(outbox: Outbox, put: Put) -> None:
    """As a process that is gone has left it: one download begun, one try under way."""
    outbox.post(put, "guess")
    with sqlite3.connect(outbox.folder.path / "served.db") as database:
        database.execute("UPDATE link SET sending = 1, starts = 1, tried = tried + 1")
    database.close()


def test_a_try_that_a_crash_swallowed_is_used_up(tmp_path: Path) -> None:
    with served(tmp_path) as first:
        put = first.put()
        ledger_says_sending(first, put)
    with served(tmp_path, first):
        answers = [first.post(put, "guess").status for _ in range(TRIES - 2)]
        assert answers == [403] * (TRIES - 3) + [404]


# --- attacks


def test_parallel_guesses_get_no_more_tries_than_one_after_the_other(outbox: Outbox) -> None:
    put = outbox.put()
    with ThreadPoolExecutor(24) as pool:
        answers = [*pool.map(lambda number: outbox.post(put, f"guess {number}").status, range(24))]
    assert set(answers) <= {403, 404, 503}
    assert answers.count(403) <= TRIES - 1
    assert outbox.receipt(put).tried <= TRIES
    assert outbox.post(put).status == 404


def test_a_crowd_is_asked_to_wait_and_loses_no_try(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    put = outbox.put()
    with monkeypatch.context() as crowded:
        crowded.setattr(public, "QUEUE", 0)
        assert outbox.post(put).status == 503
    assert outbox.post(put).status == 200
    assert outbox.receipt(put).starts == 1


def test_a_ledger_that_is_broken_gives_nothing_away(outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    put = outbox.put()
    with closing(sqlite3.connect(outbox.folder.path / "served.db")) as database, database:
        database.execute("DROP TABLE link")
    assert said(outbox.get(put)) == said(outbox.post(put)) == said(outbox.get(UNKNOWN))
    assert "event=outbox.failed error=OperationalError" in caplog.text
    assert put.path not in caplog.text


def test_what_has_long_had_its_time_is_forgotten(outbox: Outbox) -> None:
    put = outbox.put(days=1)
    outbox.post(put, "guess")
    outbox.clock.move(days=1)
    outbox.get(put)
    assert outbox.receipt(put).state == "expired"
    outbox.clock.move(days=FORGOTTEN_AFTER.days, seconds=1)
    outbox.post(outbox.put(), "guess")
    assert all(each.id != put.id for each in outbox.folder.receipts())


def test_of_parallel_downloads_one_comes_through(outbox: Outbox) -> None:
    put = outbox.put(LONG)
    with ThreadPoolExecutor(8) as pool:
        answers = [*pool.map(lambda _: outbox.post(put), range(8))]
    whole = [each for each in answers if each.status == 200]
    assert len(whole) == 1
    assert whole[0].body == LONG
    assert {each.status for each in answers} <= {200, 404, 409, 503}
    assert outbox.receipt(put).starts == 1


@pytest.mark.parametrize(
    "path",
    [
        "/", "/d", "/d/", "/d//", "/d/../served.db", "/d/..%2fserved.db", "/d/%2e%2e/served.db", "/served.db",
        "/d/%00", "/d/" + "A" * 42, "/d/" + "A" * 44, "/d/" + "%F0%9F%98%80", "/d/" + "A" * 9000, "/static/page.css",
        "/d/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",  # the same bytes as 43 As, written otherwise
    ],
)  # fmt: skip
def test_whatever_is_no_link_gets_one_and_the_same_answer(outbox: Outbox, path: str) -> None:
    assert said(outbox.ask("GET", path)) == said(outbox.get(UNKNOWN))
    assert said(outbox.ask("POST", path, b"passphrase=x")) == said(outbox.get(UNKNOWN))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND"])
def test_no_other_method_says_anything(outbox: Outbox, method: str) -> None:
    answer = outbox.ask(method, outbox.put().path)
    assert (answer.status, answer.body) == (404, outbox.get(UNKNOWN).body)


def test_a_link_written_in_another_way_is_no_link(outbox: Outbox) -> None:
    put = outbox.put()
    for path in (
        put.path + "/",
        put.path + "=",
        put.path + "%20",
        put.path.replace("/d/", "/D/"),
        "/" + put.path,
    ):
        assert outbox.ask("GET", path).status == 404


def test_a_body_that_is_too_long_or_no_form_costs_nobody_anything(outbox: Outbox) -> None:
    put = outbox.put()
    for body in (b"passphrase=" + b"x" * 5000, b"\xff\xfe", b"{}", b"&" * 2000, b"passphrase=%00"):
        assert outbox.ask("POST", put.path, body).status in {400, 403}
    assert all(each.wrong <= 1 for each in outbox.folder.receipts())


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1@evil.example", ""])
def test_another_host_name_is_not_answered_to(outbox: Outbox, host: str) -> None:
    outbox.host = host
    answer = outbox.ask("GET", outbox.put().path, host=host)
    assert answer.status == 400
    assert "資料".encode() not in answer.body


def test_nothing_that_is_sent_comes_back_in_a_header(outbox: Outbox) -> None:
    put = outbox.put()
    for nasty in ("?language=ja%0d%0aSet-Cookie:%20a=b", "?language=%3Cscript%3E"):
        answer = outbox.ask("GET", put.path + nasty)
        assert "set-cookie" not in answer.headers
        assert b"script>" not in answer.body
    answer = outbox.post(put, '"><script>alert(1)</script>')
    assert b"alert(1)" not in answer.body


def test_every_page_forbids_itself_everything(outbox: Outbox) -> None:
    put = outbox.put()
    for answer in (outbox.get(put), outbox.post(put, "guess"), outbox.get(UNKNOWN), outbox.post(put)):
        policy = answer.headers["content-security-policy"]
        assert re.fullmatch(
            r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/=]{44}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            policy,
        )
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "noindex" in answer.headers["x-robots-tag"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert not {"server", "set-cookie", "etag", "last-modified", "location"} & answer.headers.keys()


@pytest.mark.parametrize("language", ["ja", "en", "de"])
def test_pages_are_valid_load_nothing_and_run_nothing(outbox: Outbox, language: str) -> None:
    put = outbox.put(language=language)
    for answer in (outbox.get(put), outbox.post(put, "guess"), outbox.get(UNKNOWN)):
        text = answer.body.decode()
        assert JustHTML(text, strict=True)
        assert not re.search(
            r"<(script|img|link|iframe|object|base)\b|src=|https?:|javascript:|\son\w+=", text
        )


def test_robots_are_told_to_stay_away(outbox: Outbox) -> None:
    assert outbox.ask("GET", "/robots.txt").body == b"User-agent: *\nDisallow: /\n"


def test_no_log_holds_a_link_a_passphrase_or_an_address(
    outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    put = outbox.put()
    outbox.get(put)
    outbox.post(put, "a wrong guess")
    outbox.post(put)
    eventually(outbox, put, "downloaded")
    ours = [each for each in caplog.records if not each.name.startswith("asyncio")]
    text = "\n".join(each.getMessage() for each in ours)
    assert "event=link.downloaded" in text
    for word in (put.path.rpartition("/")[2], PASSPHRASE, "wrong guess", "127.0.0.1"):
        assert word not in text.replace("Uvicorn running on http://127.0.0.1", "")


def test_who_says_nothing_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "HEAD_TIMEOUT_S", 0.3)
    with served(tmp_path) as outbox, socket.create_connection(("127.0.0.1", outbox.port), timeout=10) as line:
        line.sendall(b"GET / HTTP/1.1\r\nHost: local")
        assert end_of(line) == b""


def test_who_sends_a_form_byte_by_byte_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public, "BODY_TIMEOUT_S", 0.3)
    with served(tmp_path) as outbox:
        put = outbox.put()
        with socket.create_connection(("127.0.0.1", outbox.port), timeout=10) as line:
            line.sendall(
                f"POST {put.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\npass".encode()
            )
            assert end_of(line).startswith(b"HTTP/1.1 400")


def test_who_downloads_without_reading_is_hung_up_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public, "PIECE_TIMEOUT_S", 0.5)
    with served(tmp_path) as outbox:
        put = outbox.put(LONG)
        body = urlencode({"passphrase": PASSPHRASE})
        head = f"POST {put.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        with socket.create_connection(("127.0.0.1", outbox.port), timeout=10) as line:
            line.sendall(head.encode())
            time.sleep(2.0)
        until_idle(outbox, put, 1)
        assert outbox.post(put).status == 200


def end_of(line: socket.socket) -> bytes:
    """All that comes until the other side hangs up."""
    found = b""
    try:
        while chunk := line.recv(65536):
            found += chunk
    except ConnectionResetError:
        pass
    return found


def test_changed_content_is_never_sent_as_whole(outbox: Outbox) -> None:
    put = outbox.put(LONG)
    path = outbox.folder.path / f"{put.id}.link"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with pytest.raises((ConnectionError, IncompleteRead)):
        outbox.post(put)
    until_idle(outbox, put, 1)
    assert outbox.receipt(put).state == "waiting"


@pytest.mark.parametrize(
    "field", [b'"expires_at":"2026', b'"language":"ja"', b'"passes":1', b'"size_bytes":1']
)
def test_a_changed_head_opens_for_nobody(outbox: Outbox, field: bytes) -> None:
    put = outbox.put()
    path = outbox.folder.path / f"{put.id}.link"
    content = path.read_bytes()
    changed = content.replace(
        field, field.replace(b"2026", b"2036").replace(b'"ja"', b'"en"').replace(b":1", b":2")
    )
    assert changed != content
    path.write_bytes(changed)
    assert outbox.post(put).status in {403, 404}


def test_an_outbox_is_served_by_one_process(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path),
        pytest.raises(DatabaseBusy, match="another process serves"),
        exclusive(tmp_path),
    ):
        pytest.fail("two at a time")


def test_a_sweep_that_fails_is_made_up_for_by_the_next(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(_: object, receipt: object) -> None:
        del receipt
        raise OSError(28, "No space left on device")

    put = outbox.put()
    with monkeypatch.context() as broken:
        broken.setattr(Folder, "put_receipt", full)
        assert outbox.post(put, "guess").status == 403
    assert "event=outbox.sweep-failed error=OSError" in caplog.messages
    assert [*outbox.folder.receipts()] == []
    assert outbox.post(put, "guess").status == 403
    assert outbox.receipt(put).wrong == 2
