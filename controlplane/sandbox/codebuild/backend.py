"""CodeBuild of one account and region: its projects are moto's, its builds our own."""

import threading
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.codebuild.models import CodeBuildBackend, codebuild_backends

from controlplane.sandbox.aws import clock, emit, hooks
from controlplane.sandbox.aws.faults import Fault
from controlplane.sandbox.codebuild import making
from controlplane.sandbox.codebuild.builds import GOOD, RUNNING, Run
from controlplane.sandbox.codebuild.orders import STATES, course_of

REMEMBERED = timedelta(minutes=5)
"""How long a token starts nothing new, as StartBuild's documentation says."""
BATCH = 100


class Backend(CodeBuildBackend):  # type: ignore[misc]  # moto ships no types that mypy follows
    """Builds go on by the sandbox's clock: whoever asks, and every tick, sees them where they are by then."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lock = threading.RLock()
        self.runs: dict[str, Run] = {}

    def project(self, name: str) -> Mapping[str, Any]:
        """Answer a project, or CodeBuild's refusal."""
        found = self.codebuild_projects.get(name.rpartition("project/")[2])
        if found is None:
            arn = f"arn:aws:codebuild:{self.region_name}:{self.account_id}:project/{name}"
            raise Fault("ResourceNotFoundException", f"Project cannot be found: {arn}")
        known: Mapping[str, Any] = found.project_metadata
        return known

    def begin(self, asked: Mapping[str, Any]) -> Run:
        """Start a build, or answer the one that was started under the same token a moment ago."""
        with self.lock:
            project, now = self.project(str(asked.get("projectName"))), clock.now()
            _check(project, asked)
            known = self._remembered(str(asked.get("idempotencyToken") or ""), now)
            if known is not None:
                if dict(known.asked) != dict(asked):
                    said = (
                        "Parameter mismatch: the idempotency token was used with other parameters"
                    )
                    raise Fault("InvalidInputException", said)
                return known
            name = str(project["name"])
            course = course_of((self.account_id, self.region_name, name))
            number = sum(run.project["name"] == name for run in self.runs.values()) + 1
            run = Run(f"{name}:{uuid.uuid4()}", number, dict(asked), project, course, now)
            self.runs[run.id] = run
        self._tell(run)
        return run

    def advance(self) -> None:
        """Let what is due by now end."""
        now = clock.now()
        with self.lock:
            over = [run for run in self.runs.values() if run.status == RUNNING and run.due <= now]
            for run in over:
                self._end(run, now)
        for run in over:
            self._tell(run)

    def halt(self, id_: str) -> Run:
        """Stop a build; one that has ended stays as it is."""
        self.advance()
        with self.lock:
            run = self.runs.get(id_)
            if run is None:
                raise Fault("ResourceNotFoundException", f"Build {id_} does not exist")
            stopped = run.status == RUNNING
            if stopped:
                run.ends("STOPPED", clock.now(), "BUILD", "Build was stopped by a user")
        if stopped:
            self._tell(run)
        return run

    def found(self, ids: list[str]) -> list[dict[str, Any]]:
        """Show builds as they are now; those that are unknown are left out."""
        if not 1 <= len(ids) <= BATCH:
            raise Fault("InvalidInputException", "Between 1 and 100 build ids are allowed")
        self.advance()
        with self.lock:
            runs = [self.runs[one] for one in ids if one in self.runs]
            return [self.shown(run) for run in runs]

    def of_project(self, name: str) -> list[str]:
        """List the builds of a project, the newest first."""
        with self.lock:
            known = self.project(name)["name"]
            return [run.id for run in reversed(self.runs.values()) if run.project["name"] == known]

    def shown(self, run: Run) -> dict[str, Any]:
        """Show a build in botocore's shape."""
        return run.shown(self.account_id, self.region_name, clock.now())

    def _remembered(self, token: str, now: datetime) -> Run | None:
        for run in reversed(self.runs.values()):
            if token and run.asked.get("idempotencyToken") == token:
                return run if now - run.begun < REMEMBERED else None
        return None

    def _end(self, run: Run, now: datetime) -> None:
        fails = run.course.fails
        if fails in STATES:
            run.ends(fails, now, "BUILD", run.course.message)
        elif fails:
            run.ends("FAILED", now, fails, run.course.message)
        else:
            try:
                run.made = making.write(run, self.account_id)
            except making.BrokenError as error:
                run.ends("FAILED", now, error.phase, str(error))
            else:
                run.ends(GOOD, now)

    def _tell(self, run: Run) -> None:
        """Put the event on the bus, as CodeBuild does at each change of a build's state."""
        shown = self.shown(run)
        detail = {
            "build-status": run.status,
            "project-name": run.project["name"],
            "build-id": shown["arn"],
            "current-phase": shown["currentPhase"],
            "version": "1",
        }
        kind = "CodeBuild Build State Change"
        where = (self.account_id, self.region_name)
        emit.event(*where, "aws.codebuild", kind, detail, [shown["arn"]])


def every() -> list[Any]:
    """Answer the backends of all accounts and regions."""
    return hooks.every(codebuild_backends)


def _check(project: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse what a project of CodePipeline's cannot be started with by anybody else."""
    if project["artifacts"]["type"] == "CODEPIPELINE" and not asked.get("artifactsOverride"):
        said = "ArtifactsOverride must be set when using artifacts type CodePipelines"
        raise Fault("InvalidInputException", said)
    if project["source"]["type"] == "CODEPIPELINE" and not asked.get("sourceTypeOverride"):
        said = "SourceTypeOverride must be set when using source type CodePipeline"
        raise Fault("InvalidInputException", said)
