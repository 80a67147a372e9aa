"""Going on after a SchemaError, so that all that is wrong is told at once."""

from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TypeVar

from typed_pubsub.errors import SchemaError

T = TypeVar("T")
R = TypeVar("R")


class Problems:
    """What is wrong with the parts of something; the same is told once."""

    def __init__(self) -> None:
        """Nothing is."""
        self._found: dict[str, SchemaError] = {}

    def add(self, error: SchemaError) -> None:
        """Keeps an error, and those that it holds."""
        for one in error.all:
            self._found.setdefault(str(one), one)

    @contextmanager
    def kept(self) -> Generator[None]:
        """Keeps the error that comes of what is done in it."""
        try:
            yield
        except SchemaError as error:
            self.add(error)

    def end(self) -> None:
        """Raises SchemaError: the first of those that were kept, with the others."""
        if self._found:
            first, *others = self._found.values()
            raise SchemaError(first.path, first.problem, others)


def each(make: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """What is made of each. Raises SchemaError: the first, with those of the others."""
    problems, made = Problems(), list[R]()
    for item in items:
        with problems.kept():
            made.append(make(item))
    problems.end()
    return made


@contextmanager
def told_of(schema: str) -> Generator[None]:
    """Adds to a SchemaError, and those that it holds, which schema they are about."""
    try:
        yield
    except SchemaError as error:
        first, *others = (SchemaError(one.path, f"{one.problem} (in the schema of {schema})") for one in error.all)
        raise SchemaError(first.path, first.problem, others) from error
