"""The pipeline of the scenarios with waves: one release to many deployment groups of prod."""

PIPELINE = """\
pipeline: shop
mode: SUPERSEDED
stages:
  - name: Source
    account: tools
    region: eu-west-1
    actions:
      - name: Release
        provider: S3
        with: {{S3Bucket: towpath-releases-111111111111, S3ObjectKey: shop.zip}}
        outputs: [Shop]
{before}  - name: Prod
    account: prod
    region: eu-west-1
    waves:
      targets: [{targets}]
      oneBox: {{name: prod-onebox}}
      sizes: [2]
      maxInFlight: 2
      bake: 4s
      pause: 1s
    actions:
      - {{name: Promote, provider: S3Promote, inputs: [Shop], outputs: [ShopProd]}}
      - name: Deploy
        provider: CodeDeploy
        runOrder: 2
        inputs: [ShopProd]
        with: {{ApplicationName: shop, DeploymentGroupName: "shop-${{target}}"}}
      - name: Journey
        provider: HttpJourney
        runOrder: 3
        with:
          Site: shop-${{target}}
          Attempts: 5  # one bad answer is for the signals to judge
          Every: 1s
          Steps:
            - {{name: front page, method: GET, url: /, expect: {{status: 200}}}}
    bake:
      time: 3s
      interval: 1s
      signals:
        - name: Alarm
          provider: CloudWatchAlarm
          with: {{AlarmName: "shop-${{target}}-errors"}}
        - name: ErrorRatio
          provider: CloudWatchMetric
          with:
            MetricDataQueries:
              - {{Id: ratio, Expression: errors / requests}}
              - Id: errors
                MetricStat:
                  Metric:
                    Namespace: Shop
                    MetricName: Errors
                    Dimensions: [{{Name: Environment, Value: "${{target}}"}}]
                  Period: 1
                  Stat: Sum
              - Id: requests
                MetricStat:
                  Metric:
                    Namespace: Shop
                    MetricName: Requests
                    Dimensions: [{{Name: Environment, Value: "${{target}}"}}]
                  Period: 1
                  Stat: Sum
            ResultId: ratio
            Threshold: 0.05
            DatapointsToFail: 2
            MinimumSamples: 3
    onFailure: rollback
notify:
  - slack: {{channel: "#releases"}}
"""

DEV = """\
  - name: Dev
    account: dev
    region: eu-west-1
    actions:
      - {name: Promote, provider: S3Promote, inputs: [Shop], outputs: [ShopDev]}
      - name: Deploy
        provider: CodeDeploy
        runOrder: 2
        inputs: [ShopDev]
        with: {ApplicationName: shop, DeploymentGroupName: shop-dev}
    bake:
      time: 3s
      interval: 1s
      onFail: FAIL
      signals:
        - {name: Errors, provider: CloudWatchAlarm, with: {AlarmName: shop-dev-errors}}
"""


def rollout(*targets: str, dev: bool = False) -> str:
    """Source, dev where it is asked for, then prod: its one-box first, then these targets in waves of two."""
    listed = ", ".join(f"{{name: {target}}}" for target in targets)
    return PIPELINE.format(targets=listed, before=DEV if dev else "")
