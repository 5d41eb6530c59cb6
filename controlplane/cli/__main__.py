"""`python -m controlplane.cli`: the same as `towpath`."""

from controlplane.cli import main

main()
