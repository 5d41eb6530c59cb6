"""Botocore's model of the service: the one description of what goes in and out."""

from functools import cache

import botocore.session
from botocore.model import OperationModel, ServiceModel


@cache
def service() -> ServiceModel:
    """Read CodePipeline's model, once."""
    return botocore.session.Session().get_service_model("codepipeline")


@cache
def operation(name: str) -> OperationModel:
    return service().operation_model(name)
