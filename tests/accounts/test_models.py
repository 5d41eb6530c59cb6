"""The models of accounts refuse what only looks right."""

import pytest
from pydantic import TypeAdapter, ValidationError

from accounts.models import AwsId


@pytest.mark.parametrize("text", ["١٢٣٤٥٦٧٨٩٠١٢", "12345678901", "1234567890123"])
def test_an_account_id_is_twelve_ascii_digits(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(AwsId).validate_python(text)
