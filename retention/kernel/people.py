"""Who is who, where two people must agree."""

import unicodedata


def is_same_person(one: str, other: str) -> bool:
    """Whether two names may be one person's: what is written alike but for case, width and space counts as one."""
    return folded(one) == folded(other)


def folded(name: str) -> str:
    """A name without what does not tell people apart: case, width and space."""
    plain = "".join(unicodedata.normalize("NFKC", name).casefold().split())
    return unicodedata.normalize("NFKC", plain)  # what stands side by side only now may be one character
