"""The contract of an event class as JSON Schema: what stands under ``schemas/`` and is compared there."""

from typed_pubsub.schema.export import canonical, fingerprint, path_of, schema_of

__all__ = ["canonical", "fingerprint", "path_of", "schema_of"]
