"""HTTP doors: REST, webhooks, Slack."""
