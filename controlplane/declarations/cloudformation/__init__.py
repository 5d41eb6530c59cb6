"""CloudFormation's spelling of a pipeline: a template in, declarations out, and the way back."""
