"""Let one thread work ahead of another: decoding while the encoder is busy."""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Generic, TypeVar

Item = TypeVar("Item")

_WAIT_SECONDS = 0.1


class Ahead(Generic[Item]):
    """Iterates over `items`, which another thread produces, at most `depth` ahead.

    An exception there is raised here. Leaving the `with` block ends the thread.
    """

    def __init__(self, items: Iterator[Item], depth: int) -> None:
        self._items = items
        self._queue: queue.Queue[tuple[Item] | BaseException | None] = queue.Queue(depth)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> Iterator[Item]:
        self._thread.start()
        return self._received()

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _received(self) -> Iterator[Item]:
        while (got := self._queue.get()) is not None:
            if isinstance(got, BaseException):
                raise got
            yield got[0]

    def _work(self) -> None:
        try:
            for item in self._items:
                if not self._put((item,)):
                    return
            self._put(None)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the items are wanted
            self._put(error)

    def _put(self, item: tuple[Item] | BaseException | None) -> bool:
        while not self._is_over.is_set():
            with suppress(queue.Full):
                self._queue.put(item, timeout=_WAIT_SECONDS)
                return True
        return False
