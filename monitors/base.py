"""What a signal and a check can do, and the words both speak.

Two narrow roles, told apart by how they behave in time:

* a **signal** is measured elsewhere all the time; one read answers with a series of numbers;
* a **check** must be started and looked at until it ends. It is the same contract as that of any
  action driver (`controlplane.actions.base` re-uses it), so a check can stand in a pipeline as an
  action of category Test.

Drivers never sleep, never retry, never touch the store: the engine owns time. They return or they
raise, never both. Missing data is not good data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol


class MonitorError(Exception):
    """A monitor could not be read or run; the message is a sentence for a person.

    permanent: trying again cannot help (a wrong name, a refused role); otherwise the engine tries
    again later (throttling, a time-out), and no sooner than after retry_after seconds, where told.
    postponed: nobody was asked, for we hold our own calls back: it says nothing of the monitoring.
    refused: the vendor knows us and says no: permanent, unless a person is at work on our rights.
    """

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        postponed: bool = False,
        refused: bool = False,
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.postponed = postponed
        self.refused = refused


# --- Signals ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Query:
    """One question to a signal: which number, from when to when (start <= t < end).

    key names the question in the answer. account and region are where it is asked ("" where the
    vendor has none). configuration is the rule's, as declared.
    """

    key: str
    account: str
    region: str
    configuration: Mapping[str, str]
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Point:
    """One number at one time (the start of its period)."""

    at: datetime
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """The answer to a Query: points in rising order of time; empty means the signal is silent.

    complete is False where the vendor said that it answered only in part.
    note is for a person ("alarm is INSUFFICIENT_DATA").
    """

    points: tuple[Point, ...] = ()
    complete: bool = True
    note: str = ""


class Signal(Protocol):
    """Something already measured elsewhere."""

    def read(self, queries: Sequence[Query]) -> Mapping[str, Series | MonitorError]:
        """Answer every query by its key, in as few calls as the vendor allows.

        All queries of one call have the same account and region. A query that alone is wrong gets
        its MonitorError as its answer; MonitorError is raised where nothing could be read at all.
        """
        ...


# --- Verdicts -----------------------------------------------------------------------------------


class Verdict(StrEnum):
    """What the judge says of one signal; each has its own declared consequence."""

    PASS = "PASS"  # noqa: S105 - not a password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"  # too few samples
    NO_DATA = "NO_DATA"  # the signal is silent
    UNREACHABLE = "UNREACHABLE"  # the monitoring itself is down


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict, why, and on how much it rests.

    newest is the time of the newest point used: a verdict on old data is not a fresh one.
    before, after: the points that were compared, in rising order of time, for whoever draws them.
    chance: how likely a series that did not change looks as bad as this (0 to 1). power: how likely
    the smallest regression that matters would have been seen by now (0 to 1). None where the rule
    is no statistical one.
    """

    verdict: Verdict
    reason: str
    samples: int = 0
    value: float | None = None
    newest: datetime | None = None
    before: tuple[Point, ...] = ()
    after: tuple[Point, ...] = ()
    chance: float | None = None
    power: float | None = None


# --- Checks (and every other thing that is started and looked at) ----------------------------------


@dataclass(frozen=True, slots=True)
class Artifact:
    """The bytes being promoted: what they are (digest) and where a copy of them lies.

    digest is "sha256:<64 hex>". For an object in S3, location is "s3://bucket/key" and version its
    VersionId; for an image, location is "registry/repository" and version is "".
    account is the registered account whose bucket or registry holds this copy.
    """

    name: str
    digest: str
    location: str
    version: str = ""
    account: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Store:
    """Where artifacts are kept: a pipeline's artifact store in the region of an action.

    key: the id, ARN or alias of the KMS key that they are encrypted with; "" for the bucket's own way.
    owner: the AWS account id that the bucket must belong to; "" where nothing tells whose it is.
    """

    bucket: str
    key: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Shell:
    """What an action or rule runs in a shell, as it is declared beside its configuration.

    commands: the lines, one after another. exports: names of variables that are put out.
    environment: (name, value, type) of each variable; type is PLAINTEXT or SECRETS_MANAGER.
    files: patterns of what goes into its output artifact; empty means everything.
    """

    commands: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    environment: tuple[tuple[str, str, str], ...] = ()
    files: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of outside work, as the engine hands it to a driver; nothing else reaches a driver.

    token: the same token twice must start only once.
    again: an earlier start under this token may have reached the vendor (a crash, a time-out): where
      the vendor has no client token, look for the token there before starting.
    handle: what `start` last returned, "" before.
    account, region: where to act; "" where the provider needs none.
    since: from when evidence counts. For a rule: when the stage's first deployment began. For an
      action: when it was first started, so what ran before it in the stage has ended by then.
    began: when the stage's first deployment began; None where nothing was deployed yet.
    known_good: the digest now in the stage's target, "" where none is known to be good.
    answer: what a person or a job worker answered (see controlplane.actions.approval), "" before.
    judged: when a rule was last judged; None before.
    known: what the caller's own store knows that a rule at a gate asks about; empty for all others.
    shell: what it runs in a shell; None where it runs nothing of the kind.
    store: the pipeline's artifact store for this action; None where the account's own bucket serves.
    references: names of those inputs that only name a commit to clone (CODEBUILD_CLONE_REF).
    """

    token: str
    pipeline: str
    execution: str
    stage: str
    action: str
    configuration: Mapping[str, str]
    account: str = ""
    region: str = ""
    inputs: tuple[Artifact, ...] = ()
    outputs: tuple[str, ...] = ()
    handle: str = ""
    again: bool = False
    since: datetime | None = None
    began: datetime | None = None
    known_good: str = ""
    answer: str = ""
    judged: datetime | None = None
    now: datetime | None = None
    known: Mapping[str, Any] = field(default_factory=dict)
    shell: Shell | None = None
    store: Store | None = None
    references: tuple[str, ...] = ()


class Outcome(StrEnum):
    """How a piece of outside work stands."""

    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Progress:
    """What a driver reports after `start` or `look`.

    handle: the vendor's own id of the work (a deployment id); kept and handed back.
    summary: one sentence for a person, with the cause and the log's tail where it failed.
    look_after: when looking again is worth it; the engine has a default and a bound.
    output: output variables (for `#{namespace.name}`); artifacts: output artifacts.
    judgement: only from rules that watch.
    """

    outcome: Outcome
    handle: str = ""
    summary: str = ""
    look_after: timedelta | None = None
    url: str = ""
    output: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[Artifact, ...] = ()
    judgement: Judgement | None = None


class Check(Protocol):
    """Something that must be started and looked at until it ends."""

    def start(self, task: Task) -> Progress:
        """Begin; idempotent under task.token.

        Where task.again, an earlier try may have reached the vendor: what it began is looked for by the token
        before anything is begun. That try ended, or its lease did: none of its calls is sent any more.
        """
        ...

    def look(self, tasks: Sequence[Task]) -> Mapping[str, Progress | MonitorError]:
        """Report how each stands, by token. All tasks have the same account and region.

        A token left out is unknown: the engine looks again. Uses the vendor's batch call.
        """
        ...

    def stop(self, task: Task) -> None:
        """Give it up. Harmless when it has ended already or never began."""
        ...
