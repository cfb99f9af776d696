"""Deprecated: import from ``tools.law.statutory_interest``. The old path works for one more version."""

from .law.statutory_interest import *  # noqa: F403 (what it has is there)
