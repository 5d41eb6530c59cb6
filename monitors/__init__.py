"""How do we know it is well? Signals (numbers over time), checks (started and finished), the judge."""
