"""The embedded AWS and Slack of the demo and the tests. The only room that imports moto."""
