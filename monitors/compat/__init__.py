"""Other judges' settings, read and judged as they would: Kayenta's and Argo Rollouts'. Pure.

Restated from descriptions and from what their own tests expect, for two uses: whoever comes from them
sees what their settings did, and our judge is measured beside them (`make judge`). Nothing here decides
about a release of ours. Where we differ on purpose, docs/judge.md has the list and the reasons.
"""
