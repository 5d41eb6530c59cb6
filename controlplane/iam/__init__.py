"""Who signed this, says AWS: decisions with an IAM signature in the place of a token of ours."""
