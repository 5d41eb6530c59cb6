"""A pipeline that releases to five targets, wave behind wave."""

STAGES = """
stages:
  - name: Source
    account: tools
    region: eu-west-1
    actions:
      - {name: Upload, provider: S3, with: {S3Bucket: b, S3ObjectKey: k}, outputs: [App]}
  - name: Prod
    account: prod
    region: eu-west-1
    waves:
      targets: [{name: a}, {name: b}, {name: c}, {name: d}]
      oneBox: {name: box}
      sizes: [2]
      bake: 60s
      pause: 30s
    actions:
      - name: Deploy
        provider: CodeDeploy
        inputs: [App]
        with: {ApplicationName: shop, DeploymentGroupName: "${target}"}
    bake:
      time: 10s
      interval: 1s
      signals:
        - {name: Alarm, provider: CloudWatchAlarm, with: {AlarmName: "${target}"}}
    onFailure: rollback
"""


def waved(name: str = "shop") -> str:
    """Its declaration."""
    return f"pipeline: {name}{STAGES}"
