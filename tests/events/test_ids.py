"""Ids are the texts that the standard library's UUIDs have."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from typed_pubsub.events.ids import uuid_text


@given(st.binary(min_size=16, max_size=20), st.sampled_from([4, 5]))
def test_the_text_of_a_uuid_is_the_one_that_it_has_itself(digits: bytes, version: int) -> None:
    assert uuid_text(digits.hex(), version=version) == str(UUID(hex=digits.hex()[:32], version=version))
