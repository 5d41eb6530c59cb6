"""What we say of one provider: which keys it takes, what goes in and out, and where it acts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from controlplane.declarations.keys import Key


class Need(StrEnum):
    """Whether a provider acts in a registered account and region."""

    REQUIRED = "required"
    OPTIONAL = "optional"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider. inputs and outputs are the least and the most artifacts.

    place: whether it needs an Account and a region. deploys: it changes what runs on a target.
    stands: the conditions that a rule may stand under.
    runs_commands: it runs some, which are declared beside the configuration.
    one_of: of each of these groups exactly one key must be there; most_one: at most one.
    """

    category: str
    owner: str
    provider: str
    keys: Mapping[str, Key] = field(default_factory=dict)
    version: str = "1"
    inputs: tuple[int, int] = (0, 0)
    outputs: tuple[int, int] = (0, 0)
    place: Need = Need.REQUIRED
    deploys: bool = False
    stands: tuple[str, ...] = ("onSuccess",)
    runs_commands: bool = False
    one_of: tuple[tuple[str, ...], ...] = ()
    most_one: tuple[tuple[str, ...], ...] = ()

    @property
    def id(self) -> tuple[str, str, str, str]:
        """Category, owner, provider and version: what a type id is compared by."""
        return (self.category, self.owner, self.provider, self.version)
