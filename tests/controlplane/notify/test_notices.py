"""The 18 events of CodePipeline's notification rules, and which of ours each is."""

from controlplane.journal import LEAVING
from controlplane.notify.notices import NOTICES, PREFIX, notice

EIGHTEEN = {
    *(f"pipeline-execution-{s}" for s in ("started", "succeeded", "failed", "canceled")),
    *(f"pipeline-execution-{s}" for s in ("resumed", "superseded")),
    *(f"stage-execution-{s}" for s in ("started", "succeeded", "failed", "canceled", "resumed")),
    *(f"action-execution-{s}" for s in ("started", "succeeded", "failed", "canceled")),
    *(f"manual-approval-{s}" for s in ("needed", "succeeded", "failed")),
}


def test_there_are_18_and_each_is_one_of_ours() -> None:
    assert len(EIGHTEEN) == 18
    assert set(NOTICES.values()) == EIGHTEEN


def test_every_one_may_leave() -> None:
    assert {kind.partition(" ")[0] for kind in NOTICES} <= LEAVING


def test_a_kind_of_ours_alone_has_none() -> None:
    assert notice("stage.held") == ""
    assert notice("stage.failed", badly=True) == f"{PREFIX}stage-execution-failed"
    assert notice("approval.decided", badly=True) == f"{PREFIX}manual-approval-failed"
    assert notice("stage.entered", again=True) == f"{PREFIX}stage-execution-resumed"
