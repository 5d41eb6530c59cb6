"""A seeded simulation: fleets of pipelines, several replicas, simulated vendors, faults, virtual time.

The engine, the drivers, the delivery and the sources are the product's own; what is simulated is what
they stand on: the vendors behind botocore's method names, the database's bad days, and the clocks.
Everything that happens is drawn from one seed, so a seed that breaks an invariant replays exactly.
"""
