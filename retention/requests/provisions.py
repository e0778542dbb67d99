"""Provisions as requests and rulebooks see them: what a basis asks for, and what a person is told of them."""

from sqlmodel import Session

from retention.kernel.errors import InvalidInput
from retention.provision.model import Rule
from retention.provision.show import provisions
from retention.provision.tables import ProvisionRow
from retention.requests.match import matches
from retention.requests.rulebooks import Rules
from retention.requests.rules.model import BasisCode, KeepFrom
from retention.schedule.model import Period


def rule_for(rules: Rules, code: BasisCode) -> tuple[Rule, Period]:
    """What the rulebook asks of a provision on this basis, and how long it wants the record kept.

    Every provision has a record of its own, so the period is that of a record made each time.

    Raises:
        InvalidInput: The rulebook does not know this basis, or keeps no record for each time.
    """
    basis, keeps = rules.book.bases.get(code), rules.book.keeps
    if basis is None:
        raise InvalidInput(
            f"the rulebook knows no basis {code}", hint=f"It has {', '.join(rules.book.bases)}."
        )
    each = [keeps[name].period for name in basis.keeps if keeps[name].from_ is KeepFrom.PROVIDED]
    if not each:
        raise InvalidInput(f"the rulebook does not say how long the record of a single {code} is kept")
    rule = Rule(
        basis=code,
        fields=basis.fields,
        known=frozenset(rules.book.provision_fields),
        needs_two_people=basis.needs_two_people,
        version=rules.version,
    )
    return rule, each[0]


def concerned(session: Session, request_id: str) -> tuple[str, ...]:
    """The recordings that a request is granted for, gone ones too: who received them is still on the ledger."""
    found = matches(session, request_id)
    return tuple(each.recording_id for each in found if not (each.is_left_out or each.is_refused))


def handed_over(session: Session, request_id: str) -> list[ProvisionRow]:
    """What was handed over of them so far."""
    ids = concerned(session, request_id)
    return provisions(session, recording_ids=ids, handed_over=True) if ids else []
