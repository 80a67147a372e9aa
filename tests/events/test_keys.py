import pytest

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.keys import BindingTrie, KeyTemplate, check_amqp_key, matches, split_words


@pytest.mark.parametrize(
    ("binding_key", "routing_key", "expected"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.b.c", False),
        ("a.b.c", "x", False),
        ("*", "a", True),
        ("*", "", False),
        ("*", "a.b", False),
        ("#", "", True),
        ("#", "a.b.c", True),
        ("a.#", "a", True),
        ("#.a", "a", True),
        ("a.#.b", "a.b", True),
        ("a.#.b", "a.x.b.b", True),
        ("a.#.b", "a.x.b.c", False),
        ("a*", "a*", True),
        ("a*", "ab", False),
        ("a..b", "a..b", True),
        ("a.*.b", "a..b", True),
        ("a.", "a", False),
        ("", "", True),
        ("", "a", False),
        ("*.*", "a", False),
        ("é.*", "é.ß", True),
    ],
)
def test_a_binding_key_takes_what_a_topic_exchange_would_give_it(
    binding_key: str, routing_key: str, expected: bool
) -> None:
    assert matches(binding_key, routing_key) is expected
    trie: BindingTrie[int] = BindingTrie()
    trie.add(binding_key, 1)
    assert trie.find(routing_key) == ([1] if expected else [])


def test_empty_words_are_words_but_the_empty_key_has_none() -> None:
    assert split_words("") == []
    assert split_words(".") == ["", ""]
    assert split_words("a.") == ["a", ""]


def test_a_trie_gives_every_value_of_a_binding_key_once() -> None:
    trie: BindingTrie[str] = BindingTrie()
    for binding_key, value in [("a.#.#.b", "x"), ("a.#.#.b", "y"), ("#", "z"), ("b.#", "no")]:
        trie.add(binding_key, value)
    assert sorted(trie.find("a.c.c.b")) == ["x", "y", "z"]


def test_many_hashes_in_one_binding_key_do_not_make_a_look_up_slow() -> None:
    trie: BindingTrie[int] = BindingTrie()
    trie.add(".".join(["#", "a"] * 60), 1)
    # A walk over every way to share out the words would not end in a lifetime.
    assert trie.find(".".join(["a"] * 119)) == [1]
    assert trie.find(".".join(["a"] * 119 + ["b"])) == []
    assert matches(".".join(["#", "a"] * 60), ".".join(["a"] * 119))


def test_amqp_carries_a_key_of_255_bytes_and_no_more() -> None:
    assert check_amqp_key("é" * 127 + "a") == "é" * 127 + "a"
    with pytest.raises(ValueError, match="256 bytes"):
        check_amqp_key("é" * 128)


def test_a_key_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written as UTF-8"):
        check_amqp_key("\ud800")


def test_a_template_knows_its_words_its_fields_and_its_binding_key() -> None:
    template = KeyTemplate.parse("etl.{source}.{table}.loaded")
    assert template.words == ("etl", "{source}", "{table}", "loaded")
    assert template.fields == {"source": 1, "table": 2}
    assert template.binding_key == "etl.*.*.loaded"
    assert not template.concrete
    assert KeyTemplate.parse("a.B_2-c").concrete


def test_a_template_is_filled_and_read_back() -> None:
    template = KeyTemplate.parse("etl.{source}.{table}.loaded")
    key = template.fill({"source": "crm", "table": "users_2"})
    assert key == "etl.crm.users_2.loaded"
    assert template.read(key) == {"source": "crm", "table": "users_2"}


@pytest.mark.parametrize("word", ["", "a.b", "*", "#", "ü", "a b", "a\n", "{x}"])
def test_a_template_takes_only_words_of_the_strict_alphabet(word: str) -> None:
    with pytest.raises(ValueError, match=r"^\$\.x: expected a word of the routing key"):
        KeyTemplate.parse("a.{x}").fill({"x": word})


def test_a_filled_key_beyond_255_bytes_is_refused() -> None:
    template = KeyTemplate.parse("a.{x}")
    assert len(template.fill({"x": "b" * 253})) == 255
    with pytest.raises(ValueError, match="256 bytes"):
        template.fill({"x": "b" * 254})


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("a.*", r"'\*' and '#' are for binding keys"),
        ("#", "are for binding keys"),
        ("a.{x", "a placeholder is a whole word"),
        ("a.x{y}", "a placeholder is a whole word"),
        ("a.{1x}", "a placeholder is a whole word"),
        ("a..b", "empty words are not allowed"),
        ("", "empty words are not allowed"),
        ("a.b\n", "letters, digits, '_' and '-'"),
        ("a.b c", "letters, digits, '_' and '-'"),
        ("é", "letters, digits, '_' and '-'"),
        ("{x}.a.{x}", "names the field 'x' twice"),
        ("a" * 256, "longer than 255 bytes"),
        ("\ud800", "letters, digits, '_' and '-'"),
    ],
)
def test_what_is_no_template_is_refused_with_a_reason(text: str, hint: str) -> None:
    with pytest.raises(DefinitionError, match=hint):
        KeyTemplate.parse(text)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a.b", "a.b", True),
        ("a.b", "a.c", False),
        ("a.{x}", "a.b", True),
        ("a.{x}", "b.{x}", False),
        ("a.{x}", "{y}.b", True),
        ("a.{x}", "a.b.c", False),
        ("a.{x}.c", "a.b.{y}", True),
        ("a.{x}.c", "a.b.d", False),
    ],
)
def test_templates_overlap_where_one_key_matches_both(one: str, other: str, expected: bool) -> None:
    for first, second in ((one, other), (other, one)):
        trie: BindingTrie[int] = BindingTrie()
        trie.add(KeyTemplate.parse(first).binding_key, 1)
        trie.add("elsewhere.*.entirely.*.else", 2)
        assert trie.crossing(KeyTemplate.parse(second).binding_key) == ([1] if expected else [])
