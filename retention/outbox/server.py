"""Serve an outbox to the public: over TLS, or on this machine alone behind something that speaks TLS.

One request a connection, a few seconds for its head, no access log: an address
that opens something is never written down.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from retention.kernel.clock import Clock
from retention.outbox.address import Address, check
from retention.outbox.app import Served, make_app
from retention.outbox.folder import Folder
from retention.outbox.ledger import Ledger, exclusive

HEAD_TIMEOUT_S: Final = 10.0
CONNECTIONS: Final = 200
HEAD_BYTES: Final = 16 * 1024
SEND_BUFFER_BYTES: Final = 128 * 1024
"""Small, so that "sent" is close to "received": the kernel would else take megabytes for a client that has gone."""
SHUTDOWN_S: Final = 30


def serve(path: Path, address: Address, clock: Clock, started: Callable[[int], None]) -> None:
    """Serve until stopped; `started` is told the port.

    Raises:
        InvalidInput: The address is not one to listen on.
        DatabaseBusy: Another process serves this outbox.
        StoreUnavailable: The folder cannot be used.
    """
    check(address)
    folder = Folder(path)
    folder.make()
    with exclusive(path), closing(Ledger(path)) as ledger:
        server_of(Served(folder, ledger, clock, is_secure=address.is_secure), address, started).run()


def server_of(served: Served, address: Address, started: Callable[[int], None]) -> uvicorn.Server:
    """A server that is ready to run; `started` is told the port."""
    config = uvicorn.Config(
        make_app(served, address.hosts),
        host=address.host,
        port=address.port,
        http=Patient,
        ws="none",
        loop="asyncio",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=SHUTDOWN_S,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.private_key,
    )
    return _Server(config, started)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: Callable[[int], None]) -> None:
        super().__init__(config)
        self._tell = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._tell(self.servers[0].sockets[0].getsockname()[1])


class Patient(H11Protocol):
    """A connection that must say what it wants within seconds, and hears once what is true."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in the base
        """Start the clock."""
        super().connection_made(transport)
        # Whatever the logging of this process is: an address opens something.
        self.access_log = False
        found = transport.get_extra_info("socket")
        if found is not None:
            found.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._impatient = self.loop.call_later(HEAD_TIMEOUT_S, self._hang_up)

    def data_received(self, data: bytes) -> None:
        """Stop the clock once the head of a request is whole."""
        super().data_received(data)
        if self.cycle is not None:
            self._impatient.cancel()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._impatient.cancel()
        super().connection_lost(exc)

    def _hang_up(self) -> None:
        logging.getLogger("retention.outbox").info("event=connection.too-slow")
        self.transport.abort()
