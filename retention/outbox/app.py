"""The public app: a page for each live link, and its download. It knows an outbox and nothing else.

A request gets one of few answers, and whatever is not a live link (never was,
has expired, has died, was downloaded) gets the same bytes. Nothing is logged but the outbox's
own names of links, which lead nobody to them; an address of the person is not
looked at. Every answer forbids itself to be stored, indexed, framed or followed.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import datetime
from threading import Lock
from typing import Any, BinaryIO, Final
from urllib.parse import parse_qs

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from retention.kernel.clock import Clock
from retention.kernel.errors import NotPermitted, RetentionError
from retention.outbox.folder import Folder
from retention.outbox.ledger import Ledger
from retention.outbox.link import Waiting, id_of, open_content, token_of
from retention.outbox.pages import content_security_policy, form, language_of, nowhere
from retention.vault.envelope import SealedReader

PATH: Final = "/d/"
FILE_NAME: Final = "documents.zip"
BODY_BYTES: Final = 2048  #: a passphrase is short
BODY_TIMEOUT_S: Final = 10.0
PIECE_TIMEOUT_S: Final = 60.0
PIECE_BYTES: Final = 64 * 1024
DERIVATIONS: Final = 2  #: at a time: each takes 64 MiB and a core
QUEUE: Final = 16  #: who comes later is asked to wait
SWEEP_S: Final = 60.0
#: Of the disk: it is full, gone, or busy.
FAILURES: Final = (RetentionError, OSError, sqlite3.Error)
log = logging.getLogger("retention.outbox")

Headers = Mapping[str, str]


class Served:
    """One outbox, and what serving it needs."""

    def __init__(self, folder: Folder, ledger: Ledger, clock: Clock, *, is_secure: bool) -> None:
        self.folder, self.ledger, self.clock = folder, ledger, clock
        self.derivations = CapacityLimiter(DERIVATIONS)
        self._tidying = Lock()
        self.headers: Headers = {
            "Cache-Control": "no-store",
            "Content-Security-Policy": content_security_policy(),
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex, nofollow, noarchive",
            "Connection": "close",
            **({"Strict-Transport-Security": "max-age=31536000"} if is_secure else {}),
        }

    def html(self, page: bytes, status: int = 200) -> Response:
        """A page as an answer."""
        return Response(page, status, self.headers, "text/html")

    def nowhere(self) -> Response:
        """The answer to all that is no live link."""
        return self.html(nowhere(), 404)

    def tidy(self) -> None:
        """End what has had its time, take away what has ended, and tell what became of it."""
        with self._tidying:  # two at a time could leave the older of two receipts
            now = self.clock.now()
            self.ledger.sweep(now)
            for link_id in self.ledger.ended():
                self.folder.take_away(link_id)
            for receipt in self.ledger.untold():
                self.folder.put_receipt(receipt)
                self.ledger.mark_told(receipt)
            for link_id in self.ledger.forget(now):
                self.folder.forget_receipt(link_id)

    def find(self, text: str) -> "Found | None":
        """The live link of this text; None where there is none."""
        token = token_of(text)
        opened = self.folder.open(id_of(token)) if token else None
        if token is None or opened is None:
            return None
        with ExitStack() as stack:
            file, waiting = stack.enter_context(opened[0]), opened[1]
            if self.ledger.is_live(waiting.head.id, waiting.head.expires_at, self.clock.now()):
                stack.pop_all()
                return Found(token, file, waiting)
        with suppress(*FAILURES):
            self.tidy()  # it may have ended just now
        return None


class Found:
    """A live link: its token, its open file, what the file says."""

    def __init__(self, token: bytes, file: BinaryIO, waiting: Waiting) -> None:
        self.token, self.file, self.waiting, self.head = token, file, waiting, waiting.head


def make_app(served: Served, hosts: list[str]) -> Starlette:
    """The app; it answers to these host names alone."""
    routes = [
        Route("/robots.txt", _robots(served), methods=["GET"]),
        Route(f"{PATH}{{text}}", _show(served), methods=["GET"]),
        Route(f"{PATH}{{text}}", _take(served), methods=["POST"]),
    ]

    async def lost(_request: Request, _error: Exception) -> Response:
        return served.nowhere()

    async def broken(_request: Request, error: Exception) -> Response:
        log.error("event=outbox.failed error=%s", type(error).__name__)
        return served.nowhere()

    app = Starlette(
        routes=routes,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts, www_redirect=False)],
        exception_handlers={404: lost, 405: lost, 500: broken},
        lifespan=_lifespan(served),
    )
    app.router.redirect_slashes = False
    return app


def _lifespan(served: Served) -> Callable[[Starlette], Any]:
    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep_for_ever(served))
        try:
            yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping

    return lifespan


async def _sweep_for_ever(served: Served) -> None:
    while True:
        await _tidy(served)
        await asyncio.sleep(SWEEP_S)


async def _tidy(served: Served) -> None:
    """What cannot be done now is done with the next sweep."""
    try:
        await to_thread.run_sync(served.tidy)
    except FAILURES as error:
        log.error("event=outbox.sweep-failed error=%s", type(error).__name__)  # noqa: TRY400 - a path is all that a trace would add


Handler = Callable[[Request], Awaitable[Response]]


def _robots(served: Served) -> Handler:
    async def robots(_request: Request) -> Response:
        return PlainTextResponse("User-agent: *\nDisallow: /\n", headers=dict(served.headers))

    return robots


def _show(served: Served) -> Handler:
    async def show(request: Request) -> Response:
        found = await to_thread.run_sync(served.find, request.path_params["text"])
        if found is None:
            return served.nowhere()
        found.file.close()
        language = language_of(found.head, request.query_params.get("language", ""))
        return served.html(form(found.head, language))

    return show


def _take(served: Served) -> Handler:
    async def take(request: Request) -> Response:
        passphrase = await _passphrase(request)
        found = await to_thread.run_sync(served.find, request.path_params["text"])
        if found is None:
            return served.nowhere()
        answer: Response | None = None
        try:
            answer = await _answer(served, found, passphrase, request.query_params.get("language", ""))
        finally:
            if not isinstance(answer, Download):
                found.file.close()
        await _tidy(served)
        return answer

    return take


async def _passphrase(request: Request) -> str:
    """What was typed; empty where the form is too long, too slow, or none."""
    body = b""
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > BODY_BYTES:
                    return ""
        fields = parse_qs(body.decode("utf-8"), max_num_fields=4)
    except (TimeoutError, UnicodeDecodeError, ValueError):
        return ""
    return fields.get("passphrase", [""])[-1]


async def _answer(served: Served, found: Found, passphrase: str, asked: str) -> Response:
    head, now = found.head, served.clock.now
    language = language_of(head, asked)

    def page(alarm: str, status: int, **numbers: int) -> Response:
        return served.html(form(head, language, alarm, **numbers), status)

    if not passphrase.strip():
        return page("nothing", 400)
    if served.derivations.statistics().tasks_waiting >= QUEUE:
        return page("crowded", 503)
    if not await to_thread.run_sync(served.ledger.admit, head.id, head.expires_at, now()):
        return served.nowhere()
    try:
        reader = await to_thread.run_sync(
            open_content, found.file, found.waiting, found.token, passphrase, limiter=served.derivations
        )
    except NotPermitted:
        left = await to_thread.run_sync(served.ledger.wrong, head.id, now())
        log.warning("event=link.wrong-passphrase link=%s left=%d", head.id, left)
        return page("wrong", 403, number=left) if left else served.nowhere()
    if not await to_thread.run_sync(served.ledger.begin, head.id, now()):
        return page("busy", 409)
    log.info("event=link.started link=%s", head.id)
    return Download(served, found, reader)


class Download(Response):
    """The content as it is decrypted, once.

    A download is complete when its last piece was handed to the connection
    and the client had not left before; what a client loses after that, another link brings.
    """

    def __init__(self, served: Served, found: Found, reader: SealedReader) -> None:
        headers = {
            **served.headers,
            "Content-Length": str(reader.size_bytes),
            "Content-Disposition": f'attachment; filename="{FILE_NAME}"',
        }
        super().__init__(None, 200, headers, "application/zip")
        self._served, self._found, self._reader = served, found, reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, and put on record how that ended."""
        del scope
        link_id, ledger = self._found.head.id, self._served.ledger
        gone = asyncio.Event()
        leaving = asyncio.create_task(_until_gone(receive, gone))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            is_whole = await self._send_all(send, gone)
        except (RetentionError, OSError, TimeoutError) as error:
            log.warning("event=link.broke-off link=%s error=%s", link_id, type(error).__name__)
            is_whole = False
        finally:
            leaving.cancel()
            self._found.file.close()
        end: Callable[[str, datetime], None] = ledger.complete if is_whole else ledger.break_off
        await to_thread.run_sync(end, link_id, self._served.clock.now())
        log.info("event=link.%s link=%s", "downloaded" if is_whole else "interrupted", link_id)
        await _tidy(self._served)
        if is_whole:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _send_all(self, send: Send, gone: asyncio.Event) -> bool:
        chunks = self._reader.chunks()
        while (chunk := await to_thread.run_sync(next, chunks, b"")) != b"":
            for start in range(0, len(chunk), PIECE_BYTES):
                if gone.is_set():
                    return False
                piece = {"type": "http.response.body", "body": chunk[start : start + PIECE_BYTES]}
                async with asyncio.timeout(PIECE_TIMEOUT_S):
                    await send({**piece, "more_body": True})
        return True


async def _until_gone(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
