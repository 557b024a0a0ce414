"""Which licences allow commercial use: the one place that says so."""

from __future__ import annotations


def forbids_commercial_use(licence: str) -> bool:
    """Return whether a licence has Creative Commons' non-commercial clause, such as "CC BY-NC 4.0"."""
    return "-NC" in licence


def allows_commercial_use(licence: str) -> bool:
    """Return whether a licence is one of Creative Commons' without the non-commercial clause.

    Other terms (the National Library of Medicine's) do neither: whoever means to sell has to read them.
    """
    return licence.startswith(("CC BY", "CC0")) and not forbids_commercial_use(licence)
