"""Routing keys, binding keys and key templates, exactly as a RabbitMQ topic exchange reads them.

A key is cut at its dots into words. In a binding key ``*`` is any one word and ``#`` any number of words, none
included; any other word, ``a*`` too, stands for itself. Words may be empty (``a..b`` has three), the empty key has
none. The keys of events are stricter than RabbitMQ's: words of ``[A-Za-z0-9_-]+``, no wildcards, and whole words may
be placeholders (``etl.{source}.{table}.loaded``), filled from the event's fields of these names.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from typed_pubsub.errors import DefinitionError

T = TypeVar("T")

#: AMQP 0-9-1 carries keys as short strings: at most 255 bytes.
MAX_KEY_BYTES = 255

WORD = re.compile(r"[A-Za-z0-9_-]+")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def split_words(key: str) -> list[str]:
    """The words of a key: ``""`` has none, ``"a."`` has two, the second empty."""
    return key.split(".") if key else []


def matches(binding_key: str, routing_key: str) -> bool:
    """Whether a topic exchange hands a message with ``routing_key`` to a queue bound with ``binding_key``."""
    words = split_words(routing_key)
    end = len(words)
    # Walks the pattern once, keeping every number of words that the part so far can have taken.
    taken: set[int] = {0}
    for pattern in split_words(binding_key):
        if not taken:
            return False
        if pattern == "#":
            taken = set(range(min(taken), end + 1))
        else:
            taken = {n + 1 for n in taken if n < end and pattern in ("*", words[n])}
    return end in taken


def covers(binding_keys: Iterable[str], other: str) -> bool:
    """Whether every routing key that the binding key ``other`` takes is taken by one of ``binding_keys`` too."""
    patterns = [split_words(key) for key in binding_keys]
    # Which patterns may stand where after the words so far: a set for each way in which ``other`` can be filled. A word
    # that no pattern names (None) is the hardest one for them.
    ways = {_past_hashes(patterns, ((index, 0) for index in range(len(patterns))))}
    for word in split_words(other):
        if word == "#":
            ways |= _any_number(patterns, ways)
        else:
            ways = {_after(patterns, way, None if word == "*" else word) for way in ways}
    ends = {(index, len(pattern)) for index, pattern in enumerate(patterns)}
    return all(way & ends for way in ways)


_Way = frozenset[tuple[int, int]]


def _any_number(patterns: list[list[str]], ways: set[_Way]) -> set[_Way]:
    found, fresh = set(ways), set(ways)
    while fresh:
        fresh = {_after(patterns, way, None) for way in fresh} - found
        found |= fresh
    return found


def _after(patterns: list[list[str]], way: _Way, word: str | None) -> _Way:
    reached: set[tuple[int, int]] = set()
    for index, place in way:
        pattern = patterns[index][place] if place < len(patterns[index]) else None
        if pattern == "#":
            reached.add((index, place))
        elif pattern == "*" or (pattern is not None and pattern == word):
            reached.add((index, place + 1))
    return _past_hashes(patterns, reached)


def _past_hashes(patterns: list[list[str]], places: Iterable[tuple[int, int]]) -> _Way:
    """The places, and those behind each ``#``, which may be of no word."""
    reached = set(places)
    for start in list(reached):
        index, place = start
        while place < len(patterns[index]) and patterns[index][place] == "#":
            place += 1
            reached.add((index, place))
    return frozenset(reached)


def check_amqp_key(key: str) -> str:
    """Returns ``key`` if AMQP can carry it.

    Raises:
        ValueError: it is no text, or longer than 255 bytes of UTF-8.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        msg = f"{key!r} is not a key: it cannot be written as UTF-8"
        raise ValueError(msg) from None
    if size > MAX_KEY_BYTES:
        msg = f"{key[:40]!r}... is not a key: it takes {size} bytes, and AMQP carries at most {MAX_KEY_BYTES}"
        raise ValueError(msg)
    return key


@dataclass(frozen=True, slots=True)
class KeyTemplate:
    """The routing key of an event class: concrete words, and placeholders named after fields.

    ``text`` is the template as written, ``words`` its words, ``fields`` maps a field's name to the index of its word.
    """

    text: str
    words: tuple[str, ...]
    fields: dict[str, int]

    @classmethod
    def parse(cls, text: str) -> "KeyTemplate":
        """Reads a template.

        Raises:
            DefinitionError: a word is neither ``[A-Za-z0-9_-]+`` nor a ``{field}``, a field comes twice, or the key is
                longer than 255 bytes.
        """
        if len(text.encode(errors="replace")) > MAX_KEY_BYTES:
            msg = f"routing key {text[:40]!r}... is longer than {MAX_KEY_BYTES} bytes"
            raise DefinitionError(msg)
        words = tuple(text.split("."))
        fields: dict[str, int] = {}
        for index, word in enumerate(words):
            placeholder = _PLACEHOLDER.fullmatch(word)
            if placeholder is None:
                _check_word(text, word)
            elif fields.setdefault(placeholder[1], index) != index:
                msg = f"routing key {text!r} names the field {placeholder[1]!r} twice"
                raise DefinitionError(msg)
        return cls(text, words, fields)

    @property
    def concrete(self) -> bool:
        """Whether the key has no placeholder."""
        return not self.fields

    @property
    def binding_key(self) -> str:
        """The binding key that takes every key of this template: ``etl.*.*.loaded``."""
        wild = set(self.fields.values())
        return ".".join("*" if index in wild else word for index, word in enumerate(self.words))

    def fill(self, values: dict[str, str]) -> str:
        """The routing key with ``values`` (field name -> word) in its placeholders.

        Raises:
            ValueError: a value is no word of a key, or the key grows beyond 255 bytes.
        """
        words = list(self.words)
        for name, index in self.fields.items():
            if WORD.fullmatch(values[name]) is None:
                msg = f"$.{name}: expected a word of the routing key ([A-Za-z0-9_-]+), got {values[name]!r}"
                raise ValueError(msg)
            words[index] = values[name]
        return check_amqp_key(".".join(words))

    def read(self, routing_key: str) -> dict[str, str]:
        """The words that stand in the placeholders of a key that matches this template, by field name."""
        words = routing_key.split(".")
        return {name: words[index] for name, index in self.fields.items()}


def _check_word(text: str, word: str) -> None:
    if WORD.fullmatch(word) is not None:
        return
    if word in ("*", "#"):
        hint = "'*' and '#' are for binding keys"
    elif "{" in word or "}" in word:
        hint = "a placeholder is a whole word: {field}"
    elif not word:
        hint = "empty words are not allowed"
    else:
        hint = "words are made of letters, digits, '_' and '-'"
    msg = f"{text!r} is not the routing key of an event: word {word!r} ({hint})"
    raise DefinitionError(msg)


class BindingTrie(Generic[T]):
    """Values filed under binding keys; finds those whose binding key takes a routing key.

    The cost of a look-up depends on the words of the key and the wildcards on its way, not on the number of entries.
    """

    __slots__ = ("_children", "_is_hash", "_values")

    def __init__(self, *, is_hash: bool = False) -> None:
        """An empty trie; ``is_hash`` marks the inner node of a ``#``, which swallows any word."""
        self._children: dict[str, BindingTrie[T]] = {}
        self._is_hash = is_hash
        self._values: list[T] = []

    def add(self, binding_key: str, value: T) -> None:
        """Files ``value`` under ``binding_key``; one key may hold several values."""
        node = self
        for word in split_words(binding_key):
            node = node._children.setdefault(word, BindingTrie(is_hash=word == "#"))
        node._values.append(value)  # noqa: SLF001  # its own kind, as below

    def find(self, routing_key: str) -> list[T]:
        """Every value whose binding key takes ``routing_key``, each once, in no particular order."""
        # All nodes reachable so far, as a set: 'a.#.#.#' cannot make the walk exponential.
        level = self._with_empty_hashes([self])
        for word in split_words(routing_key):
            level = self._with_empty_hashes(node for before in level for node in before._after(word))  # noqa: SLF001
        return [value for node in level for value in node._values]  # noqa: SLF001

    def crossing(self, binding_key: str) -> list[T]:
        """Every value whose binding key takes a routing key that ``binding_key`` takes too; for keys without ``#``."""
        level: list[BindingTrie[T]] = [self]
        for word in split_words(binding_key):
            level = [child for node in level for child in node._beside(word)]  # noqa: SLF001
        return [value for node in level for value in node._values]  # noqa: SLF001

    def _beside(self, word: str) -> "Iterable[BindingTrie[T]]":
        if word == "*":
            return self._children.values()
        return [child for name in (word, "*") if (child := self._children.get(name)) is not None]

    def _after(self, word: str) -> "Iterator[BindingTrie[T]]":
        if self._is_hash:
            yield self
        for name in {word, "*"}:
            child = self._children.get(name)
            if child is not None:
                yield child

    @staticmethod
    def _with_empty_hashes(nodes: "Iterable[BindingTrie[T]]") -> "list[BindingTrie[T]]":
        """The nodes, each once, and those a ``#`` of zero words leads to from them."""
        reached: dict[int, BindingTrie[T]] = {}
        for start in nodes:
            node: BindingTrie[T] | None = start
            while node is not None and id(node) not in reached:
                reached[id(node)] = node
                node = node._children.get("#")  # noqa: SLF001
        return list(reached.values())
