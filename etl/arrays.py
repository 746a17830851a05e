"""Columns of ranked areas as arrays: their types, and the checks that ranks and intervals share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Classes = npt.NDArray[np.object_]
"""Texts."""


def to_floats(*columns: npt.ArrayLike) -> list[Floats]:
    """Columns as floats."""
    return [np.asarray(column, dtype=np.float64) for column in columns]


def complete_columns(*columns: npt.ArrayLike) -> list[Floats]:
    """Columns of one length without a gap, or a ValueError: what cannot be ranked is left out before."""
    arrays = to_floats(*columns)
    if any(array.ndim != 1 or array.shape != arrays[0].shape for array in arrays):
        raise ValueError("every column needs one value for each area")
    if not all(np.isfinite(array).all() for array in arrays):
        raise ValueError("a missing value cannot be ranked")
    return arrays


def complete_proportions(events: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[Floats, Floats]:
    """Events and trials that make a proportion in every area, or a ValueError."""
    y, n = complete_columns(events, trials)
    if not ((n > 0) & (y >= 0) & (y <= n)).all():
        raise ValueError("every area needs some trials, and from 0 to as many events")
    return y, n
