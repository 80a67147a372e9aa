"""The words of schema files: JSON Schema 2020-12, and those of the events' own.

A schema says what a *reader* of the event accepts, by the names that stand in the body. What a writer writes follows
from it: see ``closed``. Beside the standard's keywords it may have

======================  ==============================================================================================
``x-routing-key``       at the top: the template of the routing key
``x-version``           at the top: counts breaking changes, from 1
``x-fingerprint``       at the top: 16 hex digits over all that is no note, which tell revisions of a version apart
``x-deprecated``        at the top, beside ``deprecated``: what to use instead
``x-writes``            at the top: the writer's own schema, where it does not follow from the reader's
``x-may-omit``          of an object: the members that a writer may leave out
``x-read-as``           of a member: all names, and paths into other members, under which a reader looks for it, in turn
``x-naive``             of a date-time or time: ``true``: an offset may be missing; ``"only"``: it must be
``x-limits``            constraints that JSON Schema has no words for, as pydantic calls them
``x-validators``        the names of the user's own code that may refuse, or change, more
``x-key-type``          of ``propertyNames``: what keys are where they are no texts in Python
======================  ==============================================================================================
"""

from typing import Final

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DEFINITIONS: Final = "#/$defs/"

ROUTING_KEY: Final = "x-routing-key"
VERSION: Final = "x-version"
FINGERPRINT: Final = "x-fingerprint"
DEPRECATED: Final = "x-deprecated"
WRITES: Final = "x-writes"
MAY_OMIT: Final = "x-may-omit"
READ_AS: Final = "x-read-as"
NAIVE: Final = "x-naive"
LIMITS: Final = "x-limits"
#: A limit: whose regular expressions a pattern is of, if not Rust's. Python's ``$`` also stands before a last newline.
ENGINE: Final = "regex_engine"
PYTHON: Final = "python"
#: A limit: how near to a multiple a float has to be: "exact" for msgspec, which has no tolerance. pydantic has one.
STEPS: Final = "steps"
EXACT: Final = "exact"
VALIDATORS: Final = "x-validators"
KEY_TYPE: Final = "x-key-type"

#: What is said to people, and changes nothing about what is accepted.
NOTES: Final = frozenset(
    {
        *("title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"),
        *("$schema", "$id", "$comment", ROUTING_KEY, VERSION, FINGERPRINT, DEPRECATED),
    }
)

#: Every other keyword that has a meaning here; any other is one that nobody can vouch for.
MEANT: Final = frozenset(
    {
        *("$ref", "$defs", "type", "enum", "const", "anyOf", "oneOf", "discriminator"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "pattern", "format", "contentMediaType", "contentSchema"),
        *("minItems", "maxItems", "uniqueItems", "items", "prefixItems"),
        *("properties", "required", "additionalProperties", "propertyNames", "minProperties", "maxProperties"),
        *(WRITES, MAY_OMIT, READ_AS, NAIVE, LIMITS, VALIDATORS, KEY_TYPE),
    }
)
