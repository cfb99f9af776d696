"""Deprecated: import from ``tools.law.dutch_calendar``. The old path works for one more version."""

from .law.dutch_calendar import *  # noqa: F403 (what it has is there)
