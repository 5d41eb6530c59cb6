"""The accounts we know, at run time: read by every thread, changed by the API."""

import difflib
import threading
from collections.abc import Callable, Iterable

from accounts.base import AccountError
from accounts.checks import account_problems, repeated
from accounts.models import Account

NAMED = 20
"""So many known names are listed in a message."""


class StaticRegistry:
    """Accounts held in memory; `accounts.base.Registry`. Safe under threads.

    Readers take the dictionary as it is; a change makes a new one, so nobody sees half a change.
    """

    def __init__(
        self,
        accounts: Iterable[Account] = (),
        *,
        stored: Callable[[], Iterable[Account]] | None = None,
    ) -> None:
        """Take the accounts; AccountError (permanent) where one of them is wrong.

        stored: reads them all anew, where somebody else (another replica) may have changed them. It
        is asked before an account is called unknown, and by `refresh`.
        """
        self._stored = stored
        self._changing = threading.Lock()
        self._accounts: dict[str, Account] = {}
        self.replace(accounts)

    def get(self, name: str) -> Account:
        """Answer the account of that name; if none, AccountError (permanent) names those known."""
        found = self._accounts.get(name)
        if found is None and self._stored is not None:
            self.refresh()
            found = self._accounts.get(name)
        if found is None:
            raise _no_such(name, sorted(self._accounts))
        return found

    def all(self) -> list[Account]:
        """All accounts, by name."""
        return sorted(self._accounts.values(), key=lambda account: account.name)

    def refresh(self) -> None:
        """Read them anew, where they are stored."""
        if self._stored is not None:
            self.replace(self._stored())

    def replace(self, accounts: Iterable[Account]) -> None:
        """Know these accounts and no others. One that is wrong: AccountError, and no change."""
        wanted = list(accounts)
        _refuse_wrong(wanted)
        with self._changing:
            self._accounts = {account.name: account for account in wanted}

    def check(self, account: Account) -> None:
        """AccountError where `put` would refuse it; nothing is changed."""
        _refuse_wrong([*(a for n, a in self._accounts.items() if n != account.name), account])

    def put(self, account: Account) -> None:
        """Add an account, or put it in the place of the one of the same name."""
        with self._changing:
            self.check(account)
            self._accounts = {**self._accounts, account.name: account}

    def remove(self, name: str) -> None:
        """Forget an account; AccountError (permanent) where there is none of that name."""
        with self._changing:
            if name not in self._accounts:
                raise _no_such(name, sorted(self._accounts))
            self._accounts = {key: one for key, one in self._accounts.items() if key != name}


def _refuse_wrong(accounts: list[Account]) -> None:
    found = [
        f"account {account.name}: {'.'.join(map(str, path))}: {said}"
        for account in accounts
        for path, said in account_problems(account)
    ]
    found += [
        f"name: {said}" for _, said in repeated({n: one.name for n, one in enumerate(accounts)})
    ]
    if found:
        raise AccountError("; ".join(found), permanent=True)


def _no_such(name: str, known: list[str]) -> AccountError:
    near = difflib.get_close_matches(name, known, 1)
    more = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    listed = f"known: {', '.join(known[:NAMED])}{more}" if known else "none is registered"
    guess = f"; did you mean {near[0]}?" if near else ""
    return AccountError(f"There is no account {name[:80]!r}{guess} ({listed})", permanent=True)
