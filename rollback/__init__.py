"""What should be done? Verdict, policy and history in; a decision out. Decides, never acts."""
