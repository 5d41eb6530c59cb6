"""What should happen: the pipeline structure (a superset of CodePipeline's) and its spellings."""
