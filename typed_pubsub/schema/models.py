"""The JSON Schema of pydantic models, with what pydantic leaves out and without what is noise."""

import functools
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from enum import Flag
from typing import Any, cast

from annotated_types import Not, Predicate
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, NoDefault
from pydantic_core import core_schema, to_jsonable_python

from typed_pubsub.events.shapes import is_items, is_list
from typed_pubsub.schema.encoded import as_written, counts_bytes, with_lengths
from typed_pubsub.schema.flags import flag_schema
from typed_pubsub.schema.mapping_keys import read_by_pydantic
from typed_pubsub.schema.vocabulary import ENGINE, KEY_TYPE, LIMITS, MAY_OMIT, NAIVE, PYTHON, READ_AS, VALIDATORS

_ORDER = ("ge", "gt", "le", "lt")
_OF_DECIMALS = (*_ORDER, "multiple_of", "max_digits", "decimal_places")
_OF_MOMENTS = (*_ORDER, "now_op")
_CONFIGURED = ("strip_whitespace", "to_lower", "to_upper")
_OF_TEXTS = (ENGINE, *_CONFIGURED, "ascii_only")
_UNSAID = frozenset({*_OF_DECIMALS, "min_length", "max_length", "allow_inf_nan"})
# Code of pydantic's own types that refuses what their schemas, or formats, allow.
_UNTOLD = frozenset(
    {
        *("PathType.validate_new", "PathType.validate_socket", "import_string"),
        *("PaymentCardNumber.validate", "EncodedStr.decode_str"),
    }
)
_OF_CODE = frozenset({"function-before", "function-after", "function-wrap", "function-plain"})
_OF_URLS = ("allowed_schemes", "host_required", "default_host", "default_port", "default_path")


def model_schema(cls: Any, mode: JsonSchemaMode) -> dict[str, Any]:
    """The schema of a model: for ``"validation"`` a reader's, for ``"serialization"`` a writer's, not closed."""
    schema: dict[str, Any] = cls.model_json_schema(schema_generator=_GenerateSchema, mode=mode)
    return schema


def names_of(keys: Mapping[str, Any]) -> dict[str, Any]:
    """``propertyNames`` of a mapping with keys of this schema; nothing, where any text is one."""
    if "$ref" in keys or (keys.get("type") == "string" and len(keys) > 1):
        return {"propertyNames": keys}
    if keys.get("type", "string") != "string":
        return {"propertyNames": {**keys, "type": "string", KEY_TYPE: keys["type"]}}
    return {"propertyNames": {"type": "string", KEY_TYPE: keys}} if keys and "type" not in keys else {}


def own_code(function: Any) -> str | None:
    """The name of code that is the user's own; None for pydantic's."""
    if isinstance(function, functools.partial):
        # pydantic's own, with a constraint that its schemas do not tell.
        given = [*function.args, *(f"{name}={value!r}" for name, value in function.keywords.items())]
        return f"{_name(function.func)}({', '.join(map(str, given))})"
    if getattr(function, "__qualname__", "") in _UNTOLD:
        return str(function.__qualname__)
    module = str(getattr(function, "__module__", None) or "")
    return _held_code(function) if module.partition(".")[0] in ("pydantic", "pydantic_core") else _name(function)


def _held_code(function: Any) -> str | None:
    """The name of the predicate (annotated_types) that pydantic's function asks, if it asks one."""
    held = (cell.cell_contents for cell in getattr(function, "__closure__", None) or ())
    return next((_name(each.func) for each in held if isinstance(each, Predicate | Not)), None)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


class _GenerateSchema(GenerateJsonSchema):
    """Pydantic's schemas in the vocabulary of schema files."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # pydantic's signature
        return False

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        found = super().generate_inner(schema)
        if schema["type"] in _OF_CODE and "ref" not in schema:
            found = with_lengths(found, schema)
            # A type that says its schema itself may say nothing of its code.
            found = found if counts_bytes(schema) else _checked(found, schema["function"]["function"])
        # pydantic tells a constraint that it leaves to a function of its own in words of its own as well.
        return {word: said for word, said in found.items() if word not in _UNSAID} if VALIDATORS in found else found

    # Values that JSON Schema has no words for.

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        # pydantic's own has str and Decimal alike, and loses limits on the way.
        text = {"type": "string", "format": "decimal"}
        found = text if self.mode == "serialization" else {"anyOf": [{"type": "number"}, text]}
        numbers = {name: str(schema.get(name)) for name in (*_ORDER, "multiple_of") if schema.get(name) is not None}
        return _limited(found, {**schema, **numbers}, _OF_DECIMALS)

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        config = self._config
        inherited: dict[str, Any] = {name: True for name in _CONFIGURED if getattr(config, f"str_{name}")}
        found = super().str_schema(schema)
        pattern = schema.get("pattern")
        if isinstance(pattern, re.Pattern):
            found["pattern"] = _with_flags(pattern)
        if pattern is not None and (isinstance(pattern, re.Pattern) or config.regex_engine == "python-re"):
            inherited[ENGINE] = PYTHON
        return _limited(found, {**inherited, **schema}, _OF_TEXTS)

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        found = super().enum_schema(schema)
        if not issubclass(schema["cls"], Flag):
            return found
        return {
            **{word: said for word, said in found.items() if word not in ("enum", "const")},
            **flag_schema(schema["cls"]),
        }

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        if any(isinstance(value, bytes) for value in schema["expected"]):
            raise PydanticInvalidForJsonSchema("a Literal of bytes reads no text of JSON: make it one of str")
        return super().literal_schema(schema)

    def complex_schema(self, schema: core_schema.ComplexSchema) -> JsonSchemaValue:
        return {**super().complex_schema(schema), "format": "complex"}

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        return _limited(super().date_schema(schema), schema, _OF_MOMENTS)

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return _limited(super().timedelta_schema(schema), schema, _OF_MOMENTS)

    def time_schema(self, schema: core_schema.TimeSchema) -> JsonSchemaValue:
        return _limited(_offset(super().time_schema(schema), schema), schema, _OF_MOMENTS)

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return _limited(_offset(super().datetime_schema(schema), schema), schema, _OF_MOMENTS)

    def url_schema(self, schema: core_schema.UrlSchema) -> JsonSchemaValue:
        return _limited(super().url_schema(schema), schema, _OF_URLS)

    def multi_host_url_schema(self, schema: core_schema.MultiHostUrlSchema) -> JsonSchemaValue:
        return _limited(super().multi_host_url_schema(schema), schema, _OF_URLS)

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        # Lengths are counted in bytes, which those of JSON Schema are not.
        config = self._config
        way = config.val_json_bytes if self.mode == "validation" else config.ser_json_bytes
        form = {"utf8": "binary", "base64": "base64url", "hex": "hex"}[way]
        counted = {"min_bytes": schema.get("min_length"), "max_bytes": schema.get("max_length")}
        return _limited({"type": "string", "format": form}, counted, counted)

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:
        # Of what writers write no notes are kept.
        default = NoDefault if self.mode == "serialization" else super().get_default_value(schema)
        is_read_itself = schema.get("validate_default", self._config.validate_default)
        if default is NoDefault or is_read_itself:
            return default
        return as_written(schema["schema"], default, self._config.core_config(None))

    # Objects.

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        cls: Any = schema["cls"]
        if cls.model_config.get("polymorphic_serialization"):
            told = "what a subclass writes cannot be told; drop polymorphic_serialization, or say SerializeAsAny"
            raise PydanticInvalidForJsonSchema(f"{cls.__qualname__}: {told}")
        own = [cls.__init__] if schema.get("custom_init") else []
        return _checked(super().model_schema(schema), *own, cls.model_post_init)

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        own: list[Any] = [schema["cls"].__post_init__] if schema.get("post_init") else []
        return _checked(super().dataclass_schema(schema), *own)

    def model_fields_schema(self, schema: core_schema.ModelFieldsSchema) -> JsonSchemaValue:
        return self._with_names(super().model_fields_schema(schema), schema["fields"])

    def dataclass_args_schema(self, schema: core_schema.DataclassArgsSchema) -> JsonSchemaValue:
        # What is only given when it is made is not written, and what cannot be given is not read.
        missing = "init" if self.mode == "validation" else "init_only"
        fields = [
            f for f in schema["fields"] if f.get(missing, self.mode == "validation") is (self.mode == "validation")
        ]
        found = super().dataclass_args_schema({**schema, "fields": fields})
        return self._with_names(found, {f["name"]: f for f in fields})

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        found = self._with_names(super().typed_dict_schema(schema), schema["fields"])
        omitted = sorted(set(found["properties"]) - set(found.get("required", ())))
        return {**found, MAY_OMIT: omitted} if omitted else found

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        # pydantic's own loses what keys are if they are no texts.
        found: JsonSchemaValue = {"type": "object", "additionalProperties": True}
        if "values_schema" in schema:
            found["additionalProperties"] = self.generate_inner(schema["values_schema"]) or True
        keys: Any = {}
        if "keys_schema" in schema:
            keys = self.generate_inner(read_by_pydantic(schema["keys_schema"]))
        found |= names_of(keys)
        self.update_with_validations(found, schema, self.ValidationsMapping.object)
        return found

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        found = super().tagged_union_schema(schema)
        # A function that chooses the branch may choose none.
        return found if "discriminator" in found else _checked(found, schema["discriminator"])

    def _with_names(self, found: JsonSchemaValue, fields: Mapping[str, Any]) -> JsonSchemaValue:
        """With all the names that a field is read under, and those of fields that are not always written."""
        filed = [self._get_alias_name(field, name) for name, field in fields.items()]
        if twice := sorted({name for name in filed if filed.count(name) > 1}):
            # Only the last of them would be told.
            raise PydanticInvalidForJsonSchema(f"fields share the first of the names they are read under: {twice}")
        members = found.get("properties", {})
        excluded = [name for name, field in fields.items() if field.get("serialization_exclude_if") is not None]
        if excluded:
            found = {**found, MAY_OMIT: sorted(self._get_alias_name(fields[name], name) for name in excluded)}
        if self.mode == "serialization":
            return found
        for name, field in fields.items():
            names = self._read_names(name, field.get("validation_alias"))
            member = self._get_alias_name(field, name)
            if member in members and names != [member]:
                members[member] = {**members[member], READ_AS: names}
        return found

    def _read_names(self, name: str, alias: Any) -> list[Any]:
        config = self._config
        names: list[Any] = []
        if config.validate_by_alias is not False and alias is not None:
            paths = list(alias) if is_list(alias) and alias and is_list(alias[0]) else [alias]
            names = [path[0] if is_list(path) and len(path) == 1 else path for path in paths]
        if not names or config.validate_by_name or config.populate_by_name:
            names = [*names, *([name] if name not in names else [])]
        return names

    # The user's own code.

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        return _checked(super().function_before_schema(schema), schema["function"]["function"])

    def function_after_schema(self, schema: core_schema.AfterValidatorFunctionSchema) -> JsonSchemaValue:
        found = super().function_after_schema(schema)
        return found if counts_bytes(schema) else _checked(found, schema["function"]["function"])

    def function_wrap_schema(self, schema: core_schema.WrapValidatorFunctionSchema) -> JsonSchemaValue:
        return _checked(super().function_wrap_schema(schema), schema["function"]["function"])

    def function_plain_schema(self, schema: core_schema.PlainValidatorFunctionSchema) -> JsonSchemaValue:
        return _checked(super().function_plain_schema(schema), schema["function"]["function"])

    def ser_schema(self, schema: Any) -> JsonSchemaValue | None:
        kind = schema["type"]
        if kind == "any":
            # SerializeAsAny: whatever the value turns out to be.
            return {}
        if kind.startswith("function-") and "return_schema" not in schema and own_code(schema["function"]) is not None:
            return {}
        return super().ser_schema(schema)


def _limited(found: JsonSchemaValue, given: Mapping[str, Any], names: Iterable[str]) -> JsonSchemaValue:
    """With those of the constraints that are set."""
    limits = {name: _plain(value) for name in names if (value := given.get(name)) is not None and value is not False}
    return {**found, LIMITS: limits} if limits else found


def _with_flags(pattern: re.Pattern[str]) -> str:
    """The text of a compiled pattern, with its flags in front."""
    letters = "".join(flag for flag in "aimsx" if pattern.flags & re.RegexFlag[flag.upper()])
    flags = f"(?{letters})" if letters else ""
    return pattern.pattern if pattern.pattern.startswith(flags) else f"{flags}{pattern.pattern}"


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime | time | timedelta):
        return to_jsonable_python(value)
    return sorted(value) if is_items(value) else value


def _offset(found: JsonSchemaValue, schema: Any) -> JsonSchemaValue:
    constraint = schema.get("tz_constraint")
    if found["type"] != "string" or constraint == "aware":
        return found
    if isinstance(constraint, int):
        return {**found, LIMITS: {"tz_offset": constraint}}
    return {**found, NAIVE: "only" if constraint == "naive" else True}


def _checked(found: JsonSchemaValue, *functions: Any) -> JsonSchemaValue:
    names = {name for function in functions if (name := own_code(function)) is not None}
    if not names:
        return found
    held = cast("list[str]", found.get(VALIDATORS, []))
    return {**found, VALIDATORS: sorted({*held, *names})}
