//! Holds docs/EVENTS.md against the schema.
