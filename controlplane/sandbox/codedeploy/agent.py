"""The CodeDeploy agent of one instance: real files, real processes.

What it keeps below the instance's root is laid out as the real agent's deployment-root:
https://docs.aws.amazon.com/codedeploy/latest/userguide/codedeploy-agent.html
"""

import hashlib
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from controlplane.sandbox.codedeploy import bundle, store
from controlplane.sandbox.codedeploy.appspec import AppSpec, AppSpecError, parse_appspec
from controlplane.sandbox.codedeploy.install import InstallError, install_files, remove_installed
from controlplane.sandbox.codedeploy.model import Deployment, Diagnostics, Host
from controlplane.sandbox.codedeploy.scripts import Workplace, run_script

HOME = Path("opt/codedeploy-agent/deployment-root")
DISK_FULL = "disk-full"
"""A file of this name in an instance's root leaves no room on it for another bundle."""
FROM_PREVIOUS = ("BeforeBlockTraffic", "AfterBlockTraffic", "ApplicationStop")
"""Events whose scripts come from the revision that was last installed successfully."""


@dataclass(slots=True)
class Agent:
    """What one deployment does on one instance, event by event."""

    deployment: Deployment
    host: Host
    account: str
    closing: threading.Event
    digest: str = ""

    @property
    def _home(self) -> Path:
        return self.host.root / HOME

    @property
    def _archive(self) -> Path:
        group, deployment = self.deployment.group.id, self.deployment.id
        return self._home / group / deployment / "deployment-archive"

    def _note(self, name: str) -> Path:
        return self._home / "deployment-instructions" / f"{self.deployment.group.id}_{name}"

    def perform(self, event: str) -> Diagnostics:
        """Do what this event asks, to its end; an error code other than Success is a failure."""
        try:
            match event:
                case "DownloadBundle":
                    return self._download()
                case "Install":
                    return self._install()
                case "BlockTraffic":
                    self.host.block_traffic()
                case "AllowTraffic":
                    self.host.allow_traffic()
                case _:
                    return self._run_scripts(event)
        except (AppSpecError, bundle.BundleError, InstallError, store.Missing) as error:
            return Diagnostics("UnknownError", str(error))
        return Diagnostics()

    def finished(self) -> None:
        """Remember this revision as the one that was last installed successfully."""
        self._note("last_successful_install").write_text(str(self._archive), "utf-8")

    def _download(self) -> Diagnostics:
        if (self.host.root / DISK_FULL).exists():
            return Diagnostics("UnknownError", "No space left on device @ io_write")
        content = store.read(self.account, self.deployment.revision["s3Location"])
        kind = self.deployment.revision["s3Location"].get("bundleType", "zip")
        bundle.unpack(content, kind, self._archive)
        self.digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        (self._archive.parent / "digest").write_text(self.digest, "ascii")
        self._spec(self._archive)
        return Diagnostics()

    def _install(self) -> Diagnostics:
        spec = self._spec(self._archive)
        cleanup = self._note("cleanup")
        behaviour = (
            self.deployment.request.get("fileExistsBehavior")
            or spec.file_exists_behavior
            or "DISALLOW"
        )
        remove_installed(cleanup)
        install_files(spec, self._archive, self.host.root, cleanup, behaviour)
        return Diagnostics()

    def _run_scripts(self, event: str) -> Diagnostics:
        archive = self._previous() if event in FROM_PREVIOUS else self._archive
        result = Diagnostics()
        if archive is None:
            return result  # nothing was ever installed here: nothing to stop
        place = Workplace(archive, self._environment(archive), self.host.lifeline, self.closing)
        for script in self._spec(archive).hooks.get(event, ()):
            result = run_script(script, event, place)
            if result.error_code != "Success":
                break
        return result

    def _previous(self) -> Path | None:
        note = self._note("last_successful_install")
        archive = Path(note.read_text("utf-8")) if note.is_file() else None
        return archive if archive and archive.is_dir() else None

    def _spec(self, archive: Path) -> AppSpec:
        for name in ("appspec.yml", "appspec.yaml"):
            path = archive / name
            if path.is_file():
                return parse_appspec(path.read_text("utf-8", "replace"))
        raise AppSpecError("The bundle has no appspec.yml at its top")

    def _environment(self, archive: Path) -> dict[str, str]:
        """Build what the agent sets for hooks, and nothing of the sandbox's own environment."""
        location = self.deployment.revision["s3Location"]
        digest = archive.parent / "digest"
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "PYTHON": sys.executable,
            "APPLICATION_NAME": self.deployment.group.application,
            "DEPLOYMENT_ID": self.deployment.id,
            "DEPLOYMENT_GROUP_NAME": self.deployment.group.name,
            "DEPLOYMENT_GROUP_ID": self.deployment.group.id,
            "BUNDLE_BUCKET": location["bucket"],
            "BUNDLE_KEY": location["key"],
            "BUNDLE_VERSION": location.get("version", ""),
            "BUNDLE_ETAG": location.get("eTag", ""),
            "BUNDLE_DIGEST": digest.read_text("ascii") if digest.is_file() else "",
            **self.host.environment(),
        }
