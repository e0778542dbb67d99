"""What a change of the schedule amounts to, as tables for people: totals, then classes and sites, then days."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from retention.cli.shared import size, styled, table

#: Days of the curve that are printed; --json has them all.
DAYS = 14
BAR = 24  #: characters of the longest bar
TOTALS = (
    ("due_now", "due at once"),
    ("sooner", "due sooner, until {horizon_on}"),
    ("sooner_after_horizon", "due sooner, after that"),
    ("later", "due later, or without an end"),
)
DIRECTIONS = {"now": "at once", "sooner": "sooner", "later": "later", "added": "added"}


def impact_lines(impact: dict[str, Any]) -> list[Any]:
    """The parts of the answer, in the order in which they matter."""
    return [part for part in (_totals(impact), *_parts(impact)) if part is not None]


def _totals(impact: dict[str, Any]) -> Table:
    rows = [
        (title.format(**impact), counts["recordings"], size(counts["bytes"]), counts["held"] or "")
        for name, title in TOTALS
        for counts in [impact[name]]
    ]
    return table(f"Compared with the schedule in force, on {impact['on']}", _counted(""), rows)


def _counted(*columns: str) -> list[str]:
    return [*columns, ">recordings", ">size", ">kept by a hold"]


def _parts(impact: dict[str, Any]) -> Iterator[Any]:
    if impact["moved"]:
        yield (
            f"{impact['moved']} recordings move to another class or trigger;"
            f" {impact['rewraps']} data keys are wrapped anew, media are not touched."
        )
    yield _classes(impact)
    yield _by_class_and_site(impact)
    yield _uses(impact)
    yield _days(impact)
    for name in ("added", "removed"):
        if impact["purposes"][name]:
            yield f"Purposes {name}: {', '.join(impact['purposes'][name])}."
    yield _notices(impact)
    for sentence in impact["conflicts"]:
        yield styled(f"! {sentence}", "yellow")


def _classes(impact: dict[str, Any]) -> Table | None:
    rows = [(each["class"], each["old"] or "-", each["new"] or "-") for each in impact["classes"]]
    return table("Classes", ["class", "now", "then"], rows) if rows else None


def _by_class_and_site(impact: dict[str, Any]) -> Table | None:
    sums: dict[tuple[str, str, str], list[int]] = {}
    spans: dict[tuple[str, str, str], list[str]] = {}
    for each in impact["changes"]:
        key = (each["class"], each["site"], each["direction"])
        into = sums.setdefault(key, [0, 0, 0])
        for place, name in enumerate(("recordings", "bytes", "held")):
            into[place] += each[name]
        spans.setdefault(key, []).append(each["on"] or "never")
    rows = [
        (name, site, DIRECTIONS[way], min(days), max(days), count, size(size_bytes), held or "")
        for (name, site, way), (count, size_bytes, held) in sorted(sums.items())
        for days in [spans[name, site, way]]
    ]
    columns = _counted("class", "site", "goes", "from", "to")
    return table("By the class that keeps it longest, and site", columns, rows) if rows else None


def _uses(impact: dict[str, Any]) -> Table | None:
    rows = [(each["class"], DIRECTIONS[each["direction"]], each["recordings"]) for each in impact["uses"]]
    columns = ["class", "use for its purpose ends", ">recordings"]
    return table("Every purpose ends on its own", columns, rows) if rows else None


def _days(impact: dict[str, Any]) -> Table | None:
    days = impact["days"][:DAYS]
    most = max((each["recordings"] for each in days), default=0)
    rows = [
        (
            each["on"],
            each["recordings"],
            size(each["bytes"]),
            each["held"] or "",
            "█" * -(-each["recordings"] * BAR // most) if most else "",
        )
        for each in days
    ]
    more = len(impact["days"]) - len(days)
    title = "What goes sooner, by day" + (f" (and {more} days more)" if more > 0 else "")
    return table(title, [*_counted("day"), ""], rows) if rows else None


def _notices(impact: dict[str, Any]) -> Table | None:
    rows = [
        (
            each["notice"],
            each["version"],
            each["class"],
            each["states"],
            each["keeps"] or "nothing: the class is gone",
            "yes" if each["replaced"] else styled("no", "yellow"),
        )
        for each in impact["notices"]
    ]
    columns = ["notice", "version", "class", "tells people", "would be kept", "new text in this policy"]
    return table("Notices whose text must change", columns, rows) if rows else None
