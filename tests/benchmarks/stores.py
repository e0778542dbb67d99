"""Stores to measure, made as `retention init` and `retention source add` make them."""

from importlib.resources import files
from pathlib import Path

from retention.bootstrap import App
from retention.catalogue.model import Source
from retention.catalogue.sources import register_source
from retention.founding import create_store
from retention.schedule.model import Kind

ZONE = "Asia/Tokyo"
PACK = "japan.yaml"
LINE, CAMERA = "line-1", "camera-1"


def make_store(home: Path) -> App:
    """A new embedded store under the Japanese pack, with a line and a camera."""
    text = files("policies").joinpath("defaults", PACK).read_text(encoding="utf-8")
    app = create_store(home, text, PACK, "benchmark")
    with app.database.write() as session:
        for source in (
            _source(LINE, Kind.CALL, ("service-quality",)),
            _source(CAMERA, Kind.FOOTAGE, ("crime-prevention",)),
        ):
            register_source(session, app.schedule(), source, app.clock.now(), "benchmark")
    return app


def _source(name: str, kind: Kind, purposes: tuple[str, ...]) -> Source:
    return Source(
        id=name,
        kind=kind,
        site="tokyo",
        zone=ZONE,
        area="",
        owner="",
        notice="",
        purposes=purposes,
        clock_error_s=0.0,
        channels=(),
        mount="",
        raw_format="",
    )
