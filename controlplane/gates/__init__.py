"""May it enter? The rules that stand in front of a stage: windows, expressions, states, incidents.

Each is looked at like any other rule. What a rule says is a verdict: PASS opens, anything else keeps closed.
"""
