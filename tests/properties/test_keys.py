"""Routing keys against binding keys, held three ways: a definition, Hypothesis, and RabbitMQ itself."""

import random
from collections.abc import Iterator
from itertools import product
from urllib.parse import urlsplit

import amqp
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.amqp import TIMEOUT
from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.keys import WORD, BindingTrie, KeyTemplate, check_amqp_key, covers, matches, split_words


def defined(pattern: list[str], words: list[str]) -> bool:
    """The definition: ``#`` takes no word, or one and goes on; ``*`` takes one; any other word takes itself."""
    if not pattern:
        return not words
    if pattern[0] == "#":
        return defined(pattern[1:], words) or (bool(words) and defined(pattern, words[1:]))
    return bool(words) and pattern[0] in ("*", words[0]) and defined(pattern[1:], words[1:])


def _keys(alphabet: str, longest: int) -> list[str]:
    """Every text over the alphabet up to a length: empty words, empty keys and dots at the ends among them."""
    return ["".join(letters) for length in range(longest + 1) for letters in product(alphabet, repeat=length)]


def test_matches_is_its_definition_on_every_short_key() -> None:
    routing_keys = [(key, split_words(key)) for key in _keys("a.", 6)]
    pairs = 0
    for binding_key in _keys("a.*#", 5):
        pattern = split_words(binding_key)
        for routing_key, words in routing_keys:
            pairs += 1
            assert matches(binding_key, routing_key) is defined(pattern, words), (binding_key, routing_key)
    assert pairs == 1365 * 127


def test_a_trie_of_every_short_binding_key_finds_what_the_definition_says() -> None:
    binding_keys = _keys("a.*#", 5)
    trie: BindingTrie[str] = BindingTrie()
    for binding_key in binding_keys:
        trie.add(binding_key, binding_key)
    for routing_key in [*_keys("a.", 6), *_keys("ab.*#", 3)]:
        words = split_words(routing_key)
        wanted = sorted(key for key in binding_keys if defined(split_words(key), words))
        assert sorted(trie.find(routing_key)) == wanted, routing_key


words = st.sampled_from(["a", "b", "", "a*", "*", "#", "##", "é", "\u0000", "a b"]) | st.text(max_size=3).map(
    lambda word: word.replace(".", "")
)
keys = st.lists(words, max_size=7).map(".".join)


@given(keys, keys)
def test_matches_is_its_definition_on_any_key(binding_key: str, routing_key: str) -> None:
    assert matches(binding_key, routing_key) is defined(split_words(binding_key), split_words(routing_key))


@given(st.lists(keys, max_size=12), keys)
def test_a_trie_finds_each_value_whose_binding_key_matches_and_once(binding_keys: list[str], routing_key: str) -> None:
    trie: BindingTrie[int] = BindingTrie()
    for number, binding_key in enumerate(binding_keys):
        trie.add(binding_key, number)
    assert sorted(trie.find(routing_key)) == [
        number for number, binding_key in enumerate(binding_keys) if matches(binding_key, routing_key)
    ]


template_words = st.from_regex(WORD, fullmatch=True).map(lambda word: word[:8])
templates = st.lists(template_words | st.sampled_from(["{x}", "{y}", "{z}"]), min_size=1, max_size=5).map(".".join)


@given(templates, st.fixed_dictionaries(dict.fromkeys("xyz", template_words)))
def test_a_filled_template_matches_its_own_binding_key_and_reads_back(text: str, values: dict[str, str]) -> None:
    try:
        template = KeyTemplate.parse(text)
    except DefinitionError:
        assert any(text.count(field) > 1 for field in ("{x}", "{y}", "{z}"))
        return
    key = template.fill(values)
    assert matches(template.binding_key, key)
    assert template.read(key) == {name: values[name] for name in template.fields}


@given(templates, templates, st.lists(st.sampled_from("ab"), min_size=3, max_size=3))
def test_templates_that_take_one_key_cross(one: str, other: str, letters: list[str]) -> None:
    try:
        first, second = KeyTemplate.parse(one), KeyTemplate.parse(other)
    except DefinitionError:
        return
    key = first.fill(dict(zip("xyz", letters, strict=True)))
    words = [split_words(template.binding_key) for template in (first, second)]
    alike = len(words[0]) == len(words[1]) and all(a == b or "*" in (a, b) for a, b in zip(*words, strict=True))
    for mine, theirs in ((first, second), (second, first)):
        trie: BindingTrie[str] = BindingTrie()
        trie.add(mine.binding_key, one)
        assert trie.crossing(theirs.binding_key) == ([one] if alike else [])
    assert alike or not matches(second.binding_key, key)


@given(st.text() | st.text(min_size=80))
def test_what_amqp_can_carry_is_returned_as_it_is_and_the_rest_refused(key: str) -> None:
    is_text = not any("\ud800" <= char <= "\udfff" for char in key)
    try:
        assert check_amqp_key(key) == key
    except ValueError:
        assert not is_text or len(key.encode()) > 255
    else:
        assert is_text
        assert len(key.encode()) <= 255


BINDING_KEYS = [
    "",
    "#",
    "*",
    ".",
    "*.",
    ".*",
    "*.*",
    "#.#",
    "a",
    "a.",
    ".a",
    "a..b",
    "a.*.b",
    "a.#",
    "#.a",
    "#.a.#",
    "a.#.b",
]
BINDING_KEYS += [
    "a*",
    "*a",
    "a*.#",
    "a#",
    "##",
    "#*",
    "é.*",
    "*.é.#",
    "*.#",
    "#.*",
    "#.*.#",
    "#.#.b",
    "*.#.*",
    "a.*.#.b",
]
ROUTING_KEYS = [
    "",
    ".",
    "..",
    "a",
    "b",
    "a.",
    ".a",
    "a.b",
    "a..b",
    "a...b",
    "a.b.b",
    "a*",
    "ab",
    "*",
    "#",
    "a.*",
    "a.#",
    "a#",
]
ROUTING_KEYS += [
    "é",
    "é.é",
    "ß",
    "a.é",
    "日本.語",
    "*.*",
    "#.#",
    "a b",
    "a\tb",
    "A",
    "x" * 255,
    "é" * 127,
    ".".join("a" * 128),
]


def _drawn(count: int, seed: int) -> Iterator[str]:
    rng = random.Random(seed)
    words = ["a", "a", "b", "", "*", "#", "a*", "é"]
    for _ in range(count):
        yield ".".join(rng.choice(words) for _ in range(rng.randint(1, 5)))


def test_rabbitmqs_topic_exchange_agrees_on_thousands_of_pairs(vhost_url: str) -> None:
    binding_keys = list(dict.fromkeys([*BINDING_KEYS, *_drawn(40, seed=1)]))
    routing_keys = list(dict.fromkeys([*ROUTING_KEYS, *_drawn(120, seed=2)]))
    assert len(binding_keys) * len(routing_keys) > 5_000
    url = urlsplit(vhost_url)
    host = f"{url.hostname}:{url.port}"
    with amqp.Connection(host=host, virtual_host=url.path[1:], confirm_publish=True) as connection:
        channel = connection.channel()
        channel.exchange_declare("events", "topic")
        queues = [f"q{number}" for number in range(len(binding_keys))]
        for queue, binding_key in zip(queues, binding_keys, strict=True):
            channel.queue_declare(queue, exclusive=True)
            channel.queue_bind(queue, "events", binding_key)
        for routing_key in routing_keys:
            # Returns when the broker has confirmed it: the message is then in every queue that takes it.
            channel.basic_publish(amqp.Message(routing_key), "events", routing_key)
        given = {key: _drained(channel, queue) for key, queue in zip(binding_keys, queues, strict=True)}
    for binding_key in binding_keys:
        trie: BindingTrie[str] = BindingTrie()
        trie.add(binding_key, "")
        assert given[binding_key] == [key for key in routing_keys if matches(binding_key, key)], binding_key
        assert given[binding_key] == [key for key in routing_keys if trie.find(key)], binding_key
    assert sum(len(keys) for keys in given.values()) > 500


def _drained(channel: amqp.Channel, queue: str) -> list[str]:
    messages: list[amqp.Message] = []
    _, count, _ = channel.queue_declare(queue, passive=True) or (queue, 0, 0)
    channel.basic_consume(queue, no_ack=True, callback=messages.append)
    while len(messages) < count:
        channel.connection.drain_events(timeout=TIMEOUT)
    assert all(message.delivery_info["routing_key"] == message.body for message in messages)
    return [str(message.body) for message in messages]


few = st.lists(st.sampled_from(["a", "b", "*", "#"]), max_size=4).map(".".join)
#: Every key of up to seven words of these three, of which no binding key of ``few`` names the last one.
SHORT_KEYS = [".".join(words) for length in range(8) for words in product("abz", repeat=length)]


@example(["*"], "#")
@example(["a", "a.#.*"], "a.#")
@example(["a", "a.*"], "a.#")
@given(st.lists(few, max_size=3), few)
def test_binding_keys_cover_another_one_whose_every_routing_key_one_of_them_takes(these: list[str], other: str) -> None:
    taken = (key for key in SHORT_KEYS if matches(other, key))
    assert covers(these, other) is all(any(matches(key, routing_key) for key in these) for routing_key in taken)
