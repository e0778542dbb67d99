"""Who is who, where two people must agree."""

import unicodedata


def is_same_person(one: str, other: str) -> bool:
    """Whether two names may be one person's: what is written alike but for case, width and space counts as one."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
