"""What people ask for in Slack: listeners that store and acknowledge, and a worker that does it."""
