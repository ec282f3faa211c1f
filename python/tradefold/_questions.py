"""Owns what a journal answers beside its tables."""

from __future__ import annotations

from ._past import Local


class Questions(Local):
    """Questions about the whole journal."""
