"""Calls as a recorder leaves them: a WAV and its sidecar."""

import hashlib
import json
import random
import wave
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from retention.kernel.clock import SystemClock

POLICY = Path(__file__).parents[2] / "policies" / "defaults" / "japan.yaml"
CALLER, OTHER = "+81355500143", "+81355500199"


def write_call(
    path: Path, days_ago: int, *, native_id: str = "", caller: str = OTHER, tags: Iterable[str] = ()
) -> str:
    """A call of one second and what its recorder says of it; its SHA-256."""
    path.parent.mkdir(exist_ok=True)
    native_id = native_id or path.stem
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(random.Random(native_id).randbytes(16_000))
    started_at = SystemClock().now() - timedelta(days=days_ago)
    said = {
        "native_id": native_id,
        "started_at": started_at.replace(hour=3, minute=0, second=0, microsecond=0).isoformat(),
        "participants": [{"side": "caller", "phone": caller}],
        "tags": list(tags),
    }
    path.with_name(f"{path.name}.json").write_text(json.dumps(said), encoding="utf-8")
    return hashlib.sha256(path.read_bytes()).hexdigest()
