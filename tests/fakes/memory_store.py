"""An object store in memory, with the same contract as the real ones."""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from retention.kernel.clock import Clock, SystemClock
from retention.kernel.errors import InvalidInput, NotFound, ObjectExists
from retention.vault.model import Chunk, ObjectName, is_object_name, validate_name


class MemoryStore:
    """Keeps objects in a dict. `before(act, name)` may raise, to play a failing store."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.objects: dict[ObjectName, bytes] = {}
        self.aliens: dict[str, bytes] = {}  #: what others put there
        self.stored_at: dict[ObjectName, datetime] = {}
        self.held: set[ObjectName] = set()
        self.unsynced: set[ObjectName] = set()
        self.before: Callable[[str, str], None] = lambda _act, _name: None
        self._clock = clock or SystemClock()
        self._id = secrets.token_hex(8)
        self._lock = threading.Lock()

    def store_id(self) -> str:
        self.before("store_id", "")
        return self._id

    def put_new(self, name: ObjectName, chunks: Iterable[Chunk], *, durable: bool = True) -> int:
        validate_name(name)
        self.before("put_new", name)
        content = b"".join(bytes(chunk) for chunk in chunks)
        with self._lock:
            if name in self.objects:
                raise ObjectExists(f"the vault already holds {name}")
            self.objects[name] = content
            self.stored_at[name] = self._clock.now()
        if not durable:
            self.unsynced.add(name)
        return len(content)

    def sync(self, names: Sequence[ObjectName]) -> None:
        for name in names:
            validate_name(name)
        self.before("sync", "")
        self.unsynced.difference_update(names)

    def read(
        self, name: ObjectName, start_bytes: int = 0, length_bytes: int | None = None
    ) -> Iterator[bytes]:
        content = self._get(name, "read")
        end = len(content) if length_bytes is None else start_bytes + length_bytes
        if not 0 <= start_bytes <= end <= len(content):
            raise InvalidInput(f"not a range of the {len(content)} bytes of {name}: {start_bytes} to {end}")
        return iter([content[start_bytes:end]])

    def size_of(self, name: ObjectName) -> int | None:
        validate_name(name)
        self.before("size_of", name)
        content = self.objects.get(name)
        return None if content is None else len(content)

    def erase_many(self, names: Sequence[ObjectName]) -> dict[ObjectName, str]:
        failures: dict[ObjectName, str] = {}
        for name in names:
            validate_name(name)
            self.before("erase_many", name)
            if name in self.held:
                failures[name] = "protected by a hold"
                continue
            self.objects.pop(name, None)
            self.stored_at.pop(name, None)
            self.unsynced.discard(name)
        return failures

    def remains(self, names: Sequence[ObjectName]) -> set[ObjectName]:
        for name in names:
            validate_name(name)
        self.before("remains", "")
        return {name for name in names if name in self.objects}

    def list_names(self, prefix: str = "") -> Iterator[tuple[ObjectName, int, datetime]]:
        self.before("list_names", prefix)
        for name in sorted(self.objects):
            if name.startswith(prefix):
                yield name, len(self.objects[name]), self.stored_at[name]

    def strangers(self, before: datetime) -> Iterator[tuple[str, int, datetime]]:  # noqa: ARG002 - as for `sweep`
        self.before("strangers", "")
        for name, content in sorted(self.aliens.items()):
            yield name, len(content), self._clock.now()

    def erase_strangers(self, names: Sequence[str]) -> dict[str, str]:
        for name in names:
            if not name or is_object_name(name) or name == "store-id":
                raise InvalidInput(f"not the name of something strange in the store: {name!r}")
        for name in names:
            self.before("erase_strangers", name)
            self.aliens.pop(name, None)
        return {}

    def protect(self, names: Sequence[ObjectName], held: bool) -> None:
        for name in names:
            validate_name(name)
            self.before("protect", name)
            if name not in self.objects:
                continue
            (self.held.add if held else self.held.discard)(name)

    def sweep(self, before: datetime) -> int:  # noqa: ARG002 - a put in memory leaves nothing behind
        return 0

    def _get(self, name: ObjectName, act: str) -> bytes:
        validate_name(name)
        self.before(act, name)
        try:
            return self.objects[name]
        except KeyError:
            raise NotFound(f"the vault holds no {name}") from None
