"""What is said of an exception of the user's: its class and line; its text apart; never another exception."""

import pytest
from pydantic import BaseModel, ValidationError

from typed_pubsub.routing.failures import describe_failure


class Model(BaseModel):
    number: int


class Unprintable(Exception):
    def __init__(self, raised: BaseException) -> None:
        self.raised = raised

    def __str__(self) -> str:
        raise self.raised


def fail(error: BaseException) -> BaseException:
    try:
        raise error  # noqa: TRY301  # its line is what is looked for
    except BaseException as caught:  # noqa: BLE001
        return caught


def test_class_and_line_are_told_and_the_text_is_kept_apart() -> None:
    error = fail(ValueError("secret"))
    line = fail.__code__.co_firstlineno + 2
    assert describe_failure(error) == (f"ValueError at {__name__}:{line} in fail", "secret")


def test_where_a_model_refuses_its_values_the_line_is_that_of_who_made_it() -> None:
    def make() -> None:
        Model(number="secret")  # type: ignore[arg-type]

    with pytest.raises(ValidationError) as refused:
        make()
    line = make.__code__.co_firstlineno + 1
    assert describe_failure(refused.value)[0] == f"ValidationError at {__name__}:{line} in make"


def test_an_exception_that_was_never_raised_has_no_line() -> None:
    assert describe_failure(ValueError("x")) == ("ValueError", "x")


@pytest.mark.parametrize("raised", [RuntimeError("x"), SystemExit(1), RecursionError()])
def test_a_text_that_cannot_be_had_raises_nothing(raised: BaseException) -> None:
    assert describe_failure(Unprintable(raised)) == ("Unprintable", "(its text cannot be had)")


def test_ctrl_c_is_never_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        describe_failure(Unprintable(KeyboardInterrupt()))
