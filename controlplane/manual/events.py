"""The kinds of events: what each says, whom it concerns, and whether it is a decision on record."""

from collections.abc import Mapping
from types import MappingProxyType

from controlplane.journal import DECISIONS, TOLD
from controlplane.manual.words import code, page, table

ABOUT: Mapping[str, str] = MappingProxyType(
    {
        "abandoned.failed": "A deployment that was abandoned has failed, or was stopped.",
        "abandoned.succeeded": "A deployment that was abandoned has ended well.",
        "approval.answered": "Somebody's word decided an approval.",
        "approval.invalidated": "What an approval is about has changed: the words so far count no longer.",
        "approval.refused": "Somebody wanted to decide an approval who may not; nothing was changed.",
        "approval.reminded": "An approval still waits for somebody (`RemindAfter`).",
        "approval.voted": "Somebody approved, and more people must.",
        "day.told": "The digest of the day: what the last 24 hours were.",
        "approval.decided": "An approval ended, by a word or by its time-out.",
        "approval.needed": "An approval waits for somebody.",
        "digest.quarantined": "A digest went bad and goes nowhere any more.",
        "digest.released": "A person let a digest out of quarantine.",
        "drill.failed": "A drill could not be run to its end, or the way back did not work.",
        "drill.finished": "A drill ended; it says how long each part took.",
        "drill.started": "A drill began.",
        "execution.failed": "An execution ended badly.",
        "execution.started": "An execution began.",
        "execution.stopped": "An execution was stopped.",
        "execution.stopping": "Somebody asked for an execution to stop.",
        "execution.succeeded": "An execution went through all of its stages.",
        "execution.superseded": "A newer execution took the place of a waiting one.",
        "freeze.lifted": "A freeze was lifted.",
        "freeze.set": "A freeze was set.",
        "gate.closed": "A rule in front of a stage keeps an execution out.",
        "gate.opened": "The gate in front of a stage opened.",
        "incident.resolved": "Somebody said that an incident is over.",
        "judgement.needed": "A bake cannot tell, and asks a person.",
        "override.asked": "Somebody asked for a closed gate to be opened.",
        "override.confirmed": "A second person opened a closed gate.",
        "person.paged": "Something cannot be mended without a person.",
        "pipeline.applied": "A pipeline's structure was stored.",
        "pipeline.deleted": "A pipeline was deleted.",
        "pipeline.followed": "The old pipeline at CodePipeline is followed, to compare with.",
        "pipeline.left": "The old pipeline is followed no longer.",
        "rollback.done": "A rollback ended, and what it brought back was verified.",
        "rollback.failed": "A rollback could not be brought to its end.",
        "rollback.requested": "A person or a verdict asked for a rollback.",
        "source.waits": "A push waits for a pipeline that cannot be read; those after it do so in silence.",
        "bake.extended": "A person has a bake, or a watch, last longer.",
        "stage.extended": "A bake saw too little and lasts longer.",
        "stage.failed": "A stage failed.",
        "stage.held": "A bake neither passes nor fails, and says why.",
        "stage.judged": "A person said how a bake ends.",
        "stage.noted": "What should be known of a stage that goes on.",
        "stage.retried": "A failed stage is tried again.",
        "stage.succeeded": "A stage is done.",
        "tags.changed": "Tags of a pipeline, a webhook or an action type were set or taken away.",
        "transition.disabled": "The way into a stage was closed.",
        "transition.enabled": "The way into a stage was opened.",
        "watch.advised": "The watch of a done stage would roll back, and may only advise.",
        "watch.held": "The watch of a done stage does not see.",
        "watch.recovered": "The watch of a done stage sees again.",
    }
)

TEXT = """\
Each is a row of the event log, written in the transaction of the change it tells of: `GET /api/v1/events`
and `towpath events` have them all, in order. `events:` of a channel picks kinds, or all that begin alike
(`rollback.`). **Severity** is what a channel is told it with; where there is none, the kind goes to no
channel. A **decision** is in the [audit log](../audit.md) for good."""


def events_page() -> str:
    """Answer the page of all kinds that concern somebody."""
    rows = [
        (code(kind), ABOUT[kind], TOLD.get(kind, ""), "yes" if kind in DECISIONS else "")
        for kind in sorted({*TOLD, *DECISIONS})
    ]
    head = ("kind", "what happened", "severity", "decision")
    return page("Kinds of events", TEXT, table(head, rows))
