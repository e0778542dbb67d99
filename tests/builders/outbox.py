"""An outbox with links in it, served by the real server on a real socket."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

from retention.outbox import link as links
from retention.outbox.address import Address
from retention.outbox.app import Served
from retention.outbox.folder import LINK, Folder, Receipt
from retention.outbox.ledger import Ledger
from retention.outbox.server import server_of
from tests.fakes.hand_clock import HandClock

CHEAP = links.Cost(1, 8, 1)
PASSPHRASE = "k7mq-2xwd-p9fs"
STORE = "01JQZ0000000000000000000ST"
CONTENT = b"PK a package, more or less. " * 4000


@dataclass(frozen=True)
class Put:
    """A link that waits."""

    id: str
    token: bytes

    @property
    def path(self) -> str:
        """Where the page is."""
        return f"/d/{links.link_text(self.token)}"


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Outbox:
    """An outbox, and the hand on its clock."""

    folder: Folder
    clock: HandClock = field(default_factory=HandClock)
    port: int = 0
    host: str = ""

    def put(self, content: bytes = CONTENT, *, language: str = "ja", days: float = 14) -> Put:
        """Let something wait."""
        token = links.new_token()
        ends_at = self.clock.now() + timedelta(days=days)
        head = links.Head(
            links.id_of(token), STORE, language, "Asia/Tokyo", ends_at, len(content), CHEAP, bytes(16)
        )
        written = self.folder.write(links.sealed_file(head, token, PASSPHRASE, [content]))
        self.folder.publish(written, f"{head.id}{LINK}")
        return Put(head.id, token)

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """One request on a connection of its own."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            sent = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, {"Host": self.host or f"localhost:{self.port}", **sent})
            response = connection.getresponse()
            said = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, said, response.read())

    def get(self, put: Put) -> Answer:
        """Look at a link's page."""
        return self.ask("GET", put.path)

    def post(self, put: Put, passphrase: str = PASSPHRASE, query: str = "") -> Answer:
        """Give a passphrase."""
        body = urlencode({"passphrase": passphrase}).encode()
        return self.ask("POST", put.path + query, body, content_type="application/x-www-form-urlencoded")

    def receipt(self, put: Put) -> Receipt:
        """What the office will read."""
        return next(each for each in self.folder.receipts() if each.id == put.id)

    def is_there(self, put: Put) -> bool:
        """Whether the content is still in the outbox."""
        return (self.folder.path / f"{put.id}{LINK}").exists()


@contextmanager
def served(path: Path, outbox: Outbox | None = None, address: Address | None = None) -> Iterator[Outbox]:
    """Serve an outbox while the block runs."""
    found = outbox or Outbox(Folder(path))
    found.folder.make()
    ready = threading.Event()

    def started(port: int) -> None:
        found.port = port
        ready.set()

    where = address or Address("127.0.0.1", 0)
    with closing(Ledger(path)) as ledger:
        server = server_of(
            Served(found.folder, ledger, found.clock, is_secure=where.is_secure), where, started
        )
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            assert ready.wait(30)
            yield found
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()
