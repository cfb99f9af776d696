"""Deprecated: import from ``tools.law.collection_costs``. The old path works for one more version."""

from .law.collection_costs import *  # noqa: F403 (what it has is there)
