"""What an approval may ask for besides CodePipeline's keys: of how many, of whom, and how. Pure.

An approval that says none of this is CodePipeline's: whoever may approve at all decides it alone, be it the
one who started the execution.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from controlplane.declarations.durations import parse_duration
from controlplane.declarations.keys import Key, Kind

DAY = 24 * 3600
MOST_PEOPLE = 20
GROUP = "group:"
APPROVAL_KEYS: Mapping[str, Key] = {
    "Quorum": Key(
        "so many different people must approve (1)",
        Kind.INTEGER,
        least=1,
        most=MOST_PEOPLE,
        literal=True,
    ),
    "Approvers": Key(
        "whose word counts: names and group:NAME, with commas between them (whoever may approve)",
        literal=True,
    ),
    "AuthorMayApprove": Key(
        "whoever started the execution, or wrote its commit, may approve it (true; false where "
        "Quorum or Approvers is said)",
        Kind.BOOLEAN,
        literal=True,
    ),
    "RequireComment": Key("a decision needs a comment (false)", Kind.BOOLEAN, literal=True),
    "RemindAfter": Key(
        "how often to remind while it waits", Kind.DURATION, least=300, most=30 * DAY, literal=True
    ),
}
"""Ours, not CodePipeline's; its own ActionTimeout (timeoutInMinutes) says when it expires."""


@dataclass(frozen=True, slots=True)
class ApprovalTerms:
    """names, groups: whose word counts; both empty: whoever may approve. remind: seconds, 0 for never."""

    quorum: int = 1
    names: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    author: bool = True
    comment: bool = False
    remind: float = 0.0

    @property
    def waits(self) -> bool:
        """True where something may have to be told while it waits."""
        return self.quorum > 1 or self.remind > 0

    def counts(self, name: str, groups: frozenset[str]) -> bool:
        """Whether this person's word counts, as far as names and groups say."""
        if not self.names and not self.groups:
            return True
        return name in self.names or not groups.isdisjoint(self.groups)


def approvers(text: str) -> tuple[str, ...]:
    """The entries of `Approvers`, as they are written."""
    return tuple(entry.strip() for entry in text.split(",")) if text.strip() else ()


def approval_terms(given: Mapping[str, str]) -> ApprovalTerms:
    """Read them. ValueError for what `validate` refuses: an approval that cannot be read approves nothing."""
    entries = approvers(given.get("Approvers", ""))
    quorum = int(given.get("Quorum", "1"))
    if quorum < 1 or any(entry in ("", GROUP) for entry in entries):
        raise ValueError("Quorum or Approvers of the approval cannot be read")
    groups = tuple(e.removeprefix(GROUP).strip() for e in entries if e.startswith(GROUP))
    strict = "Quorum" in given or "Approvers" in given
    remind = given.get("RemindAfter", "")
    return ApprovalTerms(
        quorum=quorum,
        names=tuple(e for e in entries if not e.startswith(GROUP)),
        groups=groups,
        author=given.get("AuthorMayApprove", "false" if strict else "true") == "true",
        comment=given.get("RequireComment") == "true",
        remind=parse_duration(remind).total_seconds() if remind else 0.0,
    )
