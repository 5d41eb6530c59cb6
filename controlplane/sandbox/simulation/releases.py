"""What is released: bytes that are well, or that go bad in one account in one of two ways."""

import hashlib
from dataclasses import dataclass
from enum import StrEnum


class Flaw(StrEnum):
    """How a release is bad."""

    NONE = "well"
    FAILS = "its deployment fails"
    ALARMS = "it raises errors once it serves"


@dataclass(frozen=True, slots=True)
class Release:
    """One version of an application. account: where the flaw shows; onset: seconds until it does."""

    application: str
    number: int
    flaw: Flaw = Flaw.NONE
    account: str = ""
    onset: float = 0.0

    @property
    def digest(self) -> str:
        """The digest of its bytes."""
        text = f"{self.application}/{self.number}"
        return "sha256:" + hashlib.sha256(text.encode()).hexdigest()

    def flaw_in(self, account: str) -> Flaw:
        """How it is bad in an account."""
        return self.flaw if account == self.account else Flaw.NONE
