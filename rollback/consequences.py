"""What follows from a verdict while a stage bakes or is watched. Two literal tables, and no more.

Silence is no health and no proof of a bad release either: the monitoring's own trouble can neither
pass a release nor roll it back, whatever is declared.
"""

from collections.abc import Mapping
from enum import StrEnum

from monitors.base import Verdict

V = Verdict


class Consequence(StrEnum):
    """What follows; the value is how a declaration spells it.

    PASS and PAGE let the bake end, with a note on record or with a page. HOLD, HOLD_AND_PAGE and
    EXTEND do not: it ends by a fresh PASS, or by a person's word. EXTEND asks that person by itself,
    once the bake was extended for as long as it may be.
    """

    GO_ON = "goOn"
    ROLL_BACK = "rollback"
    EXTEND = "extend"
    HOLD = "hold"
    HOLD_AND_PAGE = "holdAndPage"
    PAGE = "page"
    PASS = "pass"  # noqa: S105 - not a password


C = Consequence

CONSEQUENCES: Mapping[Verdict, Consequence] = {
    V.PASS: C.GO_ON,
    V.FAIL: C.ROLL_BACK,
    V.INCONCLUSIVE: C.EXTEND,
    V.NO_DATA: C.HOLD,
    V.UNREACHABLE: C.HOLD_AND_PAGE,
}
"""What follows where nothing else is declared."""

LEGAL: Mapping[Verdict, tuple[Consequence, ...]] = {
    V.FAIL: (C.ROLL_BACK, C.HOLD, C.HOLD_AND_PAGE, C.PAGE, C.EXTEND, C.PASS),
    V.INCONCLUSIVE: (C.EXTEND, C.HOLD, C.HOLD_AND_PAGE, C.PAGE, C.PASS),
    V.NO_DATA: (C.HOLD, C.HOLD_AND_PAGE, C.EXTEND),
    V.UNREACHABLE: (C.HOLD_AND_PAGE, C.HOLD, C.EXTEND),
}
"""What may be declared for each verdict. A verdict without evidence never rolls back."""

WHY_NOT: Mapping[Verdict, str] = {
    V.FAIL: "",
    V.INCONCLUSIVE: "too few samples prove no bad release",
    V.NO_DATA: "silence is neither health nor proof of a bad release",
    V.UNREACHABLE: "an outage of the monitoring says nothing about the release",
}
"""Why what is missing above is missing, for whoever declares it."""

LETS_END = frozenset({C.GO_ON, C.PASS, C.PAGE})
"""With these the bake may end, though the verdict is no PASS."""
HOLDS = frozenset({C.HOLD, C.HOLD_AND_PAGE})
PAGES_A_PERSON = frozenset({C.PAGE, C.HOLD_AND_PAGE})
