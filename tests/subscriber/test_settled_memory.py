"""What a process remembers of the deliveries that it settled."""

import pytest

from typed_pubsub.events.delivery import Delivery, Metadata
from typed_pubsub.handoff import work
from typed_pubsub.handoff.work import SettledMemory


def settled(memory: SettledMemory, *numbers: int) -> None:
    for number in numbers:
        memory.add(*came(number))


def came(
    number: int, source: str = "app", body: bytes = b"{}", *, redelivered: bool = True, has_id: bool = True
) -> tuple[Delivery, Metadata]:
    delivery = Delivery("a.key", body, "random", redelivered=redelivered)
    return delivery, Metadata("a.key", str(number), source, has_id=has_id)


def test_known_is_a_redelivery_with_the_same_source_id_and_body() -> None:
    memory = SettledMemory(10)
    settled(memory, 12)
    assert memory.knows(*came(12))
    assert not memory.knows(*came(12, redelivered=False))
    assert not memory.knows(*came(12, body=b"{ }"))
    assert not memory.knows(*came(12, source="other"))
    assert not memory.knows(*came(13))
    # The same characters, cut elsewhere.
    assert not memory.knows(*came(2, source="app1"))


def test_what_brings_no_id_is_not_recognised() -> None:
    memory = SettledMemory(10)
    memory.add(*came(1, has_id=False))
    assert not memory.knows(*came(1, has_id=False))


def test_at_least_so_many_are_remembered_and_not_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_REMEMBERED", 5)
    memory = SettledMemory(10)
    for number in range(100):
        settled(memory, number)
        assert all(memory.knows(*came(late)) for late in range(max(number - 9, 0), number + 1))
        assert not any(memory.knows(*came(early)) for early in range(number - 20))
