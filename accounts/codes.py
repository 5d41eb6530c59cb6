"""AWS's error codes by what they mean for another try: literal tables, and no other list.

The codes are those of botocore's models of the services that we call, and of
https://docs.aws.amazon.com/awsservices/latest/APIReference/CommonErrors.html
"""

THROTTLED = frozenset(
    {
        # botocore.retries.standard.ThrottledRetryableChecker, without LimitExceededException: it is
        # Kinesis' word for throttling, and a quota's everywhere else.
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionInProgressException",
        # As SNS and SQS spell it in their models.
        "KMSThrottling",
        "KmsThrottled",
        "Throttled",
    }
)

SKEWED = frozenset(
    {
        "InvalidSignatureException",
        "RequestExpired",
        "RequestInTheFuture",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
"""The signature is too old, too new or wrong: nearly always a clock that is off. botocore signs with
our clock and does not correct it, so a try after the clock was set right is what helps.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
"""

EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException"})
"""The session has expired; it is fetched anew before the next try."""

UNKNOWN_SESSION = frozenset(
    {
        "InvalidAccessKeyId",  # S3's
        "InvalidClientTokenId",
        "InvalidToken",  # S3's
        "TokenRefreshRequired",  # S3's
        "UnrecognizedClientException",
    }
)
"""AWS does not know the credentials."""

REFUSED = frozenset(
    {
        "403",  # S3's HEAD answers carry no body
        "AccessDenied",
        "AccessDeniedException",
        "AuthorizationError",
        "AuthorizationErrorException",
        "Forbidden",
        "UnauthorizedOperation",
    }
)
"""AWS knows who asks, and says no: for want of a right, or because the session was revoked.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

PASSING = (
    THROTTLED
    | SKEWED
    | EXPIRED
    | {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "KMSInternalException",
        "OperationAborted",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServerException",
        "ServiceException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
    }
)
"""Error codes that may be gone the next time; every answer of 429, and of 500 and above, is so too."""

RENEWED = "TowpathSessionRenewed"
"""In an answer's ResponseMetadata: the session it was refused to is dropped, the next try has a new one."""
