"""The names that open points have, as a person writes them: "track 3", "span 12", "sound"."""

from collections.abc import Iterable, Sequence

from retention.kernel.errors import InvalidInput


def numbered(names: Iterable[str], kinds: Sequence[str]) -> dict[str, list[int]]:
    """Kind → the numbers that are named of it; a kind that has none in the name, such as "sound", counts as 0.

    Raises:
        InvalidInput: A name is of no such kind.
    """
    found: dict[str, list[int]] = {kind: [] for kind in kinds}
    for name in names:
        kind, _, number = name.strip().replace("-", " ").partition(" ")
        if kind not in found or not (number.isdecimal() or (kind == "sound" and not number)):
            raise InvalidInput(
                f"{name!r} names nothing in this review",
                hint=f"Write {' or '.join(kinds)} and its number, as the open points do.",
            )
        found[kind].append(int(number or 0))
    return found
