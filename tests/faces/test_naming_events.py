"""How a command line names one event of several."""

import click
import pytest

from typed_pubsub.cli.events import named
from typed_pubsub.events import Event, Registry, StructEvent


class Sold(Event, routing_key="sold.{shop}", registry=Registry()):
    shop: str


class SoldAgain(StructEvent, routing_key="sold.{shop}", version=2, registry=Registry()):
    shop: str


class Anything(Event, routing_key="{word}", registry=Registry()):
    word: str


class Shop:
    class Sold(Event, routing_key="shop.sold", registry=Registry()):
        pass


EVENTS = [Anything, Shop.Sold, Sold, SoldAgain]


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ("sold.{shop}", SoldAgain),
        ("sold.milan", SoldAgain),
        ("Sold", Sold),
        (f"{__name__}.Sold", Sold),
        (f"{__name__}:Sold", Sold),
        ("Shop.Sold", Shop.Sold),
        (f"{__name__}:Shop.Sold", Shop.Sold),
        ("SoldAgain", SoldAgain),
        ("sold", Anything),
    ],
)
def test_an_event_is_named_by_a_key_or_a_class(text: str, event: object) -> None:
    assert named(text, EVENTS) is event


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("sold.{shoq}.x", "did you mean 'sold.{shop}'"),
        ("Shop.Solt", "did you mean 'Shop.Sold'"),
        (f"{__name__}:Sould", f"did you mean '{__name__}.Sold'"),
    ],
)
def test_what_names_none_is_told_the_nearest(text: str, hint: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        named(text, EVENTS)
    assert caught.value.message == f"there is no event of {text!r}: {hint}?"


def test_what_is_near_to_none_is_told_no_other() -> None:
    with pytest.raises(click.UsageError, match=r"^there is no event of 'a\.b\.c'$"):
        named("a.b.c", EVENTS)
