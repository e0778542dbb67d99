"""The public app as a process of its own: over TLS, killed in a download, alone on its outbox."""

import datetime as dt
import http.client
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from retention.kernel.clock import SystemClock
from retention.outbox.folder import Folder
from tests.builders.outbox import CONTENT, PASSPHRASE, Outbox, Put

pytestmark = pytest.mark.slow
LONG = bytes(48 << 20)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    found = Outbox(Folder(tmp_path / "outbox"))
    found.folder.make()
    found.clock.set(SystemClock().now())
    return found


@contextmanager
def running(outbox: Outbox, *line: str) -> Iterator["subprocess.Popen[str]"]:
    """The program; it is told to stop at the end, unless it is gone already."""
    command = [sys.executable, "-m", "retention", "disclosure", "serve", "--outbox", str(outbox.folder.path)]
    process = subprocess.Popen(
        [*command, "--port", "0", *line],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        for said in process.stderr:
            if found := re.search(r"on \S+:(\d+)\. Stop", said):
                outbox.port = int(found[1])
                break
        else:
            pytest.fail("it never served")
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = SystemClock().now()
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    pem, secret = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    files[0].write_bytes(built.public_bytes(pem))
    files[1].write_bytes(key.private_bytes(pem, secret, serialization.NoEncryption()))
    return files


def begun(outbox: Outbox, put: Put) -> socket.socket:
    """A download of which the first bytes have come."""
    body = urlencode({"passphrase": PASSPHRASE})
    head = f"POST {put.path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    line = socket.create_connection(("127.0.0.1", outbox.port), timeout=60)
    line.sendall(head.encode())
    assert line.recv(100).startswith(b"HTTP/1.1 200")
    return line


def test_the_public_comes_over_tls(outbox: Outbox, tmp_path: Path) -> None:
    public, private = certificate(tmp_path)
    line = ("--certificate", str(public), "--private-key", str(private), "--host", "0.0.0.0")
    with running(outbox, *line, "--base-url", "https://localhost"):
        put, trusted = outbox.put(), ssl.create_default_context(cafile=public)
        connection = http.client.HTTPSConnection("localhost", outbox.port, context=trusted, timeout=60)
        connection.request("POST", put.path, urlencode({"passphrase": PASSPHRASE}).encode())
        answer = connection.getresponse()
        assert answer.read() == CONTENT
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
        connection.close()


def test_killed_in_a_download_it_lets_it_start_again_and_once(outbox: Outbox) -> None:
    with running(outbox) as process:
        put = outbox.put(LONG)
        with begun(outbox, put):
            process.kill()
            process.wait(60)
    with running(outbox):
        assert outbox.post(put).body == LONG
        deadline = time.monotonic() + 30
        while outbox.receipt(put).state != "downloaded":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert not outbox.is_there(put)
        assert outbox.post(put).status == 404
        assert outbox.receipt(put).starts == 2


def test_two_processes_never_serve_one_outbox(outbox: Outbox) -> None:
    command = [sys.executable, "-m", "retention", "disclosure", "serve", "--outbox", str(outbox.folder.path)]
    with running(outbox):
        second = subprocess.run(
            [*command, "--port", "0"], capture_output=True, text=True, timeout=60, check=False
        )
    assert second.returncode == 23
    assert "another process serves the outbox" in second.stderr


def test_it_needs_nothing_but_its_outbox(outbox: Outbox) -> None:
    """Not a line of the database, of the store or of the cloud is even loaded by the app."""
    named = "'sqlalchemy', 'sqlmodel', 'boto3', 'retention.bootstrap', 'retention.catalogue', 'retention.requests'"
    code = f"import sys; import retention.outbox.server; print([each for each in ({named}) if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert [*outbox.folder.links()] == []
