import json
from typing import Any, get_type_hints

import pytest

from tests.schema.contracts_of_names import MODELS
from tests.schema.contracts_of_structs import STRUCTS
from tests.schema.corpus import EVENTS, OF_STRUCTS, TEXT, TEXTS_OF_BYTES, WHOLE, filed, is_struct, made
from tests.schema.generated import event_of, imported
from typed_pubsub.errors import PubSubError, SchemaError
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import canonical, schema_of
from typed_pubsub.schema.closed import without_notes
from typed_pubsub.schema.generate import generate


def schema_again(source: str, schema: dict[str, Any]) -> dict[str, Any]:
    with imported(source) as module:
        return schema_of(event_of(module, schema))


@pytest.mark.parametrize("event", EVENTS)
def test_a_generated_class_has_the_schema_that_it_was_generated_from(event: Any) -> None:
    schema = filed(event)
    again = schema_again(generate([schema], struct=is_struct(event)), schema)
    assert without_notes(again) == without_notes(schema)
    assert again["x-fingerprint"] == schema["x-fingerprint"]


@pytest.mark.parametrize("event", EVENTS)
def test_notes_come_back_too(event: Any) -> None:
    schema = filed(event)
    assert canonical(schema_again(generate([schema], struct=is_struct(event)), schema)) == canonical(schema)


@pytest.mark.parametrize("struct", [False, True])
def test_one_module_has_all_events_and_shares_their_classes(struct: bool) -> None:
    schemas = [filed(event) for event in (STRUCTS if struct else MODELS)]
    source = generate(schemas, struct=struct)
    with imported(source) as module:
        for schema in schemas:
            assert without_notes(schema_of(event_of(module, schema))) == without_notes(schema)
    assert source.count("\nclass StructLeaf(" if struct else "\nclass Leaf(") == 1


def test_generating_twice_gives_one_text() -> None:
    schemas = [filed(event) for event in MODELS]
    assert generate(schemas) == generate(json.loads(json.dumps(schemas)))


@pytest.mark.parametrize(
    ("schema", "path", "problem"),
    [
        ({**made({}), "title": None}, "$.title", "expected the name of a class"),
        ({**made({}), "title": "class"}, "$.title", "expected the name of a class"),
        ({**made({}), "x-routing-key": "a.*"}, "$.x-routing-key", "binding keys"),
        ({**made({}), "x-routing-key": "a.{b}"}, "$.x-routing-key", "expected its words among the properties, got 'b'"),
        ({**made({}), "x-version": 0}, "$.x-version", "expected a whole number from 1, got 0"),
        ({**made({}), "type": "array"}, "$", "expected an object"),
        (made({"a": {"not": WHOLE}}), "$.properties.a.not", "expected a keyword of the vocabulary"),
        (
            made({"a": {"type": "array", "items": {"if": {}}}}),
            "$.properties.a.items.if",
            "",
        ),
        (made({"a": {"type": "text"}}), "$.properties.a", "expected a type of JSON, got 'text'"),
        (made({"a": {"$ref": "#/$defs/B"}}), "$.$defs.B", "expected this definition, got none"),
        (made({"a": {"$ref": "#"}}), "$.properties.a.$ref", "expected '#/$defs/<name>', got '#'"),
        (made({"a": {"anyOf": []}}), "$.properties.a.anyOf", "expected a list of schemas"),
        (made({"a": {"anyOf": [WHOLE, 1]}}), "$.properties.a.anyOf[1]", "expected a schema, got 1"),
        (made({"a": {"enum": [1.5]}}), "$.properties.a", "expected values that a Literal can have, got 1.5"),
        (made({"a": WHOLE}, required=["a", "b"]), "$", "expected 'b' under properties"),
        (made({"a": {**TEXT, "default": 1}}, required=[]), "$.properties.a.default", "expected a value of its member"),
        (
            made({"a": {**TEXT, "format": "base64", "default": "hello"}}, required=[]),
            *("$.properties.a.default", "expected a value of its member"),
        ),
        (made({"a": TEXT}, required=[]), "$.properties.a", "expected a default, or its name under required"),
        (made({"a": {**WHOLE, "x-read-as": ["b", "a"]}}), "$.properties.a", "expected x-read-as to have 'a'"),
        (made({"a": {**WHOLE, "x-limits": {"ge": "1"}}}), "$.properties.a", "expected limits"),
        (made({"a": {**TEXT, "format": "time"}}), "$.properties.a", "expected x-naive: true of a time"),
        (made({"a": WHOLE}, required=[], **{"x-may-omit": ["a"]}), "$", "expected defaults"),
        (made({"a": {"type": "array", "prefixItems": [WHOLE], "minItems": 0}}), "$.properties.a", "expected minItems"),
        (made({"a": {**WHOLE, "minimum": "1"}}), "$.properties.a.minimum", "expected a number, got '1'"),
        (made({}, required="a"), "$.required", "expected a list of texts, got 'a'"),
        (made({}, **{"$defs": {"A": 1}}), "$.$defs.A", "expected a schema, got 1"),
        (made({"a": {"type": "array", "items": False}}), "$.properties.a.items", "expected a schema, got False"),
        (made({"a": WHOLE}, **{"x-may-omit": ["b"]}), "$", "expected names under properties in x-may-omit, got ['b']"),
        (made({"a": {"oneOf": [WHOLE, TEXT]}}), "$.properties.a", "expected several branches, and a discriminator"),
    ],
)
def test_what_no_model_can_say_is_an_error_that_tells_where(schema: dict[str, Any], path: str, problem: str) -> None:
    with pytest.raises(SchemaError) as caught:
        generate([schema])
    assert caught.value.path == path
    assert problem in caught.value.problem
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("schema", "path", "problem"),
    [
        (made({"a": {**TEXT, "x-read-as": ["a", "b"]}}), "$.properties.a", "expected one name"),
        (made({"a": {"const": True}}), "$.properties.a", "expected values that a Literal can have, got True"),
        (made({"a": {"anyOf": [TEXT, {**TEXT, "format": "uuid"}]}}), "$.properties.a.anyOf[0]", "no other string"),
        (made({"a": {"anyOf": [{"type": "array"}, {"type": "array"}]}}), "$.properties.a.anyOf[0]", "no other array"),
        (
            made({"a": {**WHOLE, "minimum": 1, "exclusiveMinimum": 1}}),
            "$.properties.a",
            "one lower and one upper bound",
        ),
        (made({"a": {**WHOLE, "minimum": 2**63}}), "$.properties.a", "integers of 64 bits"),
        (made({"a": {**TEXT, "x-limits": {"strip_whitespace": True}}}), "$.properties.a", "got strip_whitespace"),
        (made({"a": WHOLE}, additionalProperties=WHOLE), "$", "expected additionalProperties true or false"),
        (
            made({"a": {**WHOLE, "default": 1}, "b": {**WHOLE, "default": 2}}, required=[], **{"x-may-omit": ["a"]}),
            *("$", "expected x-may-omit to have all members with a default"),
        ),
    ],
)
def test_what_no_struct_can_say_is_an_error_that_tells_where(schema: dict[str, Any], path: str, problem: str) -> None:
    with pytest.raises(SchemaError) as caught:
        generate([schema], struct=True)
    assert caught.value.path == path
    assert problem in caught.value.problem


def test_an_error_names_the_schema_among_several() -> None:
    with pytest.raises(SchemaError, match=r"\(in the schema of 'bad' version 2\)"):
        generate([made({}), made({"a": {"not": {}}}, **{"x-routing-key": "bad", "x-version": 2})])
    assert SchemaError("$.a", "bad").exit_code == 2
    assert issubclass(SchemaError, PubSubError)


@pytest.mark.parametrize("struct", [False, True])
def test_all_that_is_wrong_with_a_schema_is_told_at_once_and_once(struct: bool) -> None:
    odd: dict[str, Any] = {"not": {}}
    members = {"a": {"anyOf": [odd, WHOLE, {**odd, "if": {}}]}, "b": WHOLE, "c": {"$ref": "#/$defs/C"}, "d": odd}
    pair = {"type": "array", "prefixItems": [odd, odd], "minItems": 2, "maxItems": 2}
    nested = {"type": "object", "properties": {"e": odd, "f": pair}, "required": ["f"], "contains": odd}
    with pytest.raises(SchemaError) as caught:
        generate([made(members, **{"$defs": {"C": nested}})], struct=struct)
    assert [one.path for one in caught.value.all] == [
        "$.$defs.C.contains",
        "$.$defs.C.properties.f.prefixItems[0].not",
        "$.$defs.C.properties.f.prefixItems[1].not",
        "$.$defs.C.properties.e.not",
        "$.properties.a.anyOf[0].not",
        "$.properties.a.anyOf[2].if",
        "$.properties.a.anyOf[2].not",
        "$.properties.d.not",
    ]


def test_all_keywords_of_another_kind_are_told_at_once() -> None:
    with pytest.raises(SchemaError) as caught:
        generate([made({"a": {**WHOLE, "minimum": "1"}, "b": {"type": 3, "items": {"enum": []}}, "c": WHOLE})])
    assert {one.path for one in caught.value.all} == {
        *("$.properties.a.minimum", "$.properties.b.type", "$.properties.b.items.enum"),
    }


def test_no_schema_is_an_error() -> None:
    with pytest.raises(SchemaError, match=r"^\$: expected a schema, got none"):
        generate([])


def test_two_schemas_of_one_key_and_version_are_an_error() -> None:
    with pytest.raises(SchemaError, match=r"\$\.x-version: expected one schema of 'made' version 1, got another"):
        generate([made({}), made({"a": WHOLE})])


@pytest.mark.parametrize(
    ("struct", "member"),
    [
        *((struct, member) for struct in (False, True) for member in TEXTS_OF_BYTES),
        *((True, member) for member in OF_STRUCTS),
    ],
)
def test_a_default_of_bytes_is_of_the_type_of_its_member_and_written_as_it_was(
    struct: bool, member: dict[str, Any]
) -> None:
    schema = made({"a": member}, required=[])
    with imported(generate([schema], struct=struct)) as module:
        assert isinstance(module.Made().a, get_type_hints(module.Made)["a"])
        assert schema_of(module.Made)["properties"] == {"a": member}
        assert json.loads(write_event(module.Made())[1]) == {"a": member["default"]}


def test_a_default_that_can_change_is_no_plain_value_by_whatever_name() -> None:
    empty = {"type": "array", "items": WHOLE, "uniqueItems": True, "default": []}
    source = generate(
        [made({"a": {"anyOf": [empty, {"type": "null"}], "default": []}, "set": WHOLE}, required=["set"])]
    )
    assert "    a: set_[int] | None = Field(default=set_())\n" in source


def test_own_code_is_told_and_not_generated() -> None:
    schema = made({"a": {**WHOLE, "x-validators": ["check"]}}, **{"x-validators": ["whole"], "x-writes": {}})
    source = generate([schema])
    assert "    # not generated: x-writes: its publisher writes what code of its own makes\n" in source
    assert "    # not generated: x-validators: whole at $\n" in source
    assert "    # not generated: x-validators: check at $.properties.a\n" in source


def test_a_deprecated_event_says_so() -> None:
    source = generate([made({}, **{"deprecated": True, "x-deprecated": "use Other"})])
    assert 'class Made(Event, routing_key="made", deprecated="use Other"):' in source


def test_nothing_that_others_write_in_a_schema_becomes_code() -> None:
    hostile = 'x\n    raise SystemExit\r"""\x0c\'"\\\0'
    told = {
        "description": hostile,
        "$comment": hostile,
        "x-validators": [hostile],
        "title": hostile,
        "examples": [hostile],
    }
    enum = {"enum": ["a", hostile], "type": "string"}
    members = {
        hostile: {**TEXT, **told},
        "a": {**TEXT, "pattern": "a", "format": hostile, "default": hostile},
        "b": {**TEXT, "x-read-as": ["b", hostile, [hostile]]},
        "c": {**enum, "default": hostile},
        "d": {"$ref": f"#/$defs/{hostile}", "default": hostile},
    }
    schema = made(
        members, required=[hostile, "b"], **{**told, "title": "Made", "x-owner": hostile, "$defs": {hostile: enum}}
    )
    with imported(generate([{**schema, "x-writes": {}}])) as module:
        assert schema_of(module.Made)["properties"][hostile]["description"] == hostile
    with pytest.raises(SchemaError, match="expected now_op 'past' or 'future'"):
        generate([made({"a": {**TEXT, "format": "date", "x-limits": {"now_op": "x import y"}}})])


def test_an_event_may_be_called_like_what_it_is_made_of() -> None:
    with imported(generate([made({"a": {**TEXT, "format": "uuid"}}, title="Event")])) as module:
        assert meta_of(module.Event).key.text == "made"


def test_of_two_versions_the_newest_has_the_name() -> None:
    old, new = made({"a": WHOLE}), made({"a": TEXT}, **{"x-version": 2})
    with imported(generate([old, new])) as module:
        assert [meta_of(module.MadeV1).version, meta_of(module.Made).version] == [1, 2]
        assert schema_of(module.MadeV1)["properties"] == {"a": WHOLE}


def test_definitions_of_one_name_and_different_content_are_two_classes() -> None:
    def using(key: str, title: str, line: dict[str, Any]) -> dict[str, Any]:
        defs = {"Line": {"type": "object", "properties": line, "required": [*line]}}
        return made({"line": {"$ref": "#/$defs/Line"}}, **{"x-routing-key": key, "title": title, "$defs": defs})

    schemas = [using("a", "A", {"x": WHOLE}), using("b", "B", {"x": WHOLE}), using("c", "C", {"x": TEXT})]
    with imported(generate(schemas)) as module:
        assert module.A.model_fields["line"].annotation is module.Line
        assert module.B.model_fields["line"].annotation is module.Line
        assert module.C.model_fields["line"].annotation is module.CLine


def test_an_object_within_becomes_a_class_named_after_its_member() -> None:
    inner = {"type": "object", "properties": {"sku": TEXT, "box-size": {"type": "object", "properties": {}}}}
    schema = made({"lines": {"type": "array", "items": {**inner, "required": ["sku", "box-size"]}}})
    with imported(generate([schema])) as module:
        meta = meta_of(module.Made)
        event = read_event(meta, "made", b'{"lines": [{"sku": "a", "box-size": {}}]}')
        assert event == module.Made(lines=[module.MadeLines(sku="a", **{"box-size": module.MadeLinesBoxSize()})])
        assert write_event(event) == ("made", b'{"lines":[{"sku":"a","box-size":{}}]}')


def test_several_types_are_a_union() -> None:
    source = generate([made({"a": {"type": ["string", "integer", "null"], "maxLength": 3, "minimum": 1}})])
    assert "a: Annotated[str, Field(max_length=3)] | Annotated[int, Field(ge=1)] | None\n" in source


@pytest.mark.parametrize(
    "description", ['"', '"""', "\\", 'a "b"', "a\\", "a\n\n  b\n", "\t\0", "  ", '"a" "', "a\r\nb", "TODO"]
)
def test_any_description_is_a_docstring(description: str) -> None:
    with imported(generate([made({}, description=description)])) as module:
        assert (module.Made.__doc__ or "").split() == description.split()
