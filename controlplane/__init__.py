"""What runs: declarations, executions, the engine, drivers, notifications, and the doors."""
