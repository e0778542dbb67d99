"""Whether what somebody showed is enough.

An agent shows two things: who they are, and that they may act. Points of
different methods are added; the same method twice is one. Where a rulebook
only asks for identity (a complaint), the caller decides whether to.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from retention.kernel.errors import InvalidInput
from retention.requests.rules.model import Method, Proves, Requester, Rulebook


@dataclass(frozen=True, slots=True)
class Assessment:
    """What was shown, against what is needed."""

    points: int
    points_needed: int
    has_authority: bool
    needs_authority: bool

    @property
    def suffices(self) -> bool:
        """Whether identity, and an agent's authority, are shown."""
        return self.points >= self.points_needed and self.has_authority >= self.needs_authority


def assess(rulebook: Rulebook, requester: Requester, methods: Iterable[str]) -> Assessment:
    """What the methods that were carried out show together.

    Raises:
        InvalidInput: The rulebook has no such method, or it is not for this requester.
    """
    used = [_method(rulebook, requester, code) for code in sorted(set(methods))]
    return Assessment(
        points=sum(each.points for each in used if each.proves is Proves.IDENTITY),
        points_needed=rulebook.points_needed,
        has_authority=any(each.proves is Proves.AUTHORITY for each in used),
        needs_authority=requester is Requester.AGENT,
    )


def _method(rulebook: Rulebook, requester: Requester, code: str) -> Method:
    method = rulebook.methods.get(code)
    if method is None:
        raise InvalidInput(
            f"the rulebook {rulebook.name} has no method `{code}`",
            hint=f"Write one of {', '.join(sorted(rulebook.methods))}.",
        )
    if requester not in method.of:
        raise InvalidInput(
            f"`{code}` says nothing about a requester who is the {requester}",
            hint="Use a method that the rulebook lists for such a requester.",
        )
    return method
