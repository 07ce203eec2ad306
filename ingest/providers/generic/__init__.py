"""Any other system: one plain JSON object for each change of a run. docs/generic.md describes it."""

PROVIDER = "generic"
