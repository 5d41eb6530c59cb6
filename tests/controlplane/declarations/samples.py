"""A small pipeline that can run, ways to break it, and what is then said."""

from pathlib import Path

from controlplane.declarations.load import DeclarationError, load_text

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "deploy" / "examples"
ACCOUNTS = ("tools", "dev", "prod")

SMALL = """\
pipeline: shop
stages:
  - name: Source
    account: tools
    region: eu-west-1
    actions:
      - name: Fetch
        provider: S3
        namespace: Release
        with: {S3Bucket: releases, S3ObjectKey: shop.zip}
        outputs: [App]
  - name: Prod
    account: prod
    region: eu-west-1
    actions:
      - name: Promote
        provider: S3Promote
        inputs: [App]
        outputs: [AppProd]
      - name: Deploy
        provider: CodeDeploy
        runOrder: 2
        inputs: [AppProd]
        with: {ApplicationName: shop, DeploymentGroupName: blue}
      - name: Canary
        provider: SyntheticsCanary
        runOrder: 3
        with: {CanaryName: shop-prod}
    bake:
      time: 20s
      interval: 1s
      signals:
        - name: Errors
          provider: CloudWatchAlarm
          with: {AlarmName: shop-errors}
    onFailure: rollback
notify:
  - slack: {channel: "#releases"}
"""


def problems(text: str) -> list[str]:
    """What is said about a text, a line a problem, without the file's name; [] for nothing."""
    try:
        load_text(text, "p.yaml", ACCOUNTS)
    except DeclarationError as error:
        return [line.removeprefix("p.yaml:") for line in str(error).splitlines()]
    return []


def changed(*changes: tuple[str, str]) -> str:
    """The small pipeline with some of its text replaced; what is replaced must be there."""
    text = SMALL
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text
