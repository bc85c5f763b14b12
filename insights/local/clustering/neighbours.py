"""Puts vectors where their differences show, and finds the nearest of each."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

# How many imaginary vectors at the origin the mean is taken with, so that a handful cannot cancel itself.
ORIGIN_WEIGHT = 10
BLOCK_CELLS = 16_000_000
EXACT_ROWS = 20_000
MAIN_AXES = 128
SHORTLIST = 2
LANDMARKS = 1_000
GROUP = 16


def centre(total: npt.NDArray[Any], count: float) -> Floats:
    """Return the point that vectors with this sum and number are measured from."""
    return np.asarray(total / (count + ORIGIN_WEIGHT), np.float32)


def unit(vectors: npt.NDArray[Any]) -> Floats:
    """Scale rows to length one; rows of zeros stay what they are."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.where(lengths > 0, lengths, 1), np.float32)


def evened(vectors: Floats, counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return weights, as many in sum as `counts`, under which a crowded subject is one among others.

    Without them a flood of one complaint would be the mean itself, and what is measured from the mean would
    tell its statements apart by their noise.
    """
    step = -(-len(vectors) // LANDMARKS)
    crowd = np.maximum(vectors @ vectors[::step].T, 0) ** 2 @ counts[::step]
    weights = counts / np.maximum(crowd / counts[::step].sum(), 1e-6)
    return np.asarray(weights * (counts.sum() / weights.sum()), np.float64)


def centred(vectors: npt.NDArray[Any], weights: npt.NDArray[np.float64]) -> Floats:
    """Take away what all vectors share, which is their subject at large, and scale to length one."""
    return unit(vectors - centre(weights @ vectors, weights.sum()))


def nearest(vectors: Floats, count: int) -> tuple[Integers, Floats]:
    """Return the places and products of each row's nearest others, (n, k) each, nearest first.

    Exact up to EXACT_ROWS; beyond, the nearest along the main axes are ranked by their exact products.
    """
    total = len(vectors)
    count = min(count, total - 1)
    places = np.empty((total, max(count, 0)), np.int64)
    scores = np.empty(places.shape, np.float32)
    if count < 1:
        return places, scores
    exact = total <= EXACT_ROWS
    compared = vectors if exact else _along_main_axes(vectors)
    step = max(1, BLOCK_CELLS // total)
    for start in range(0, total, step):
        block = compared[start : start + step] @ compared.T
        rows = np.arange(len(block))
        block[rows, rows + start] = -np.inf
        found = _largest(block, count if exact else SHORTLIST * count)
        if exact:
            score = np.take_along_axis(block, found, axis=1)
        else:
            score = np.einsum("nkd,nd->nk", vectors[found], vectors[start : start + step])
        order = np.argsort(-score, axis=1, kind="stable")[:, :count]
        places[start : start + step] = np.take_along_axis(found, order, axis=1)
        scores[start : start + step] = np.take_along_axis(score, order, axis=1)
    return places, scores


def _along_main_axes(vectors: Floats) -> Floats:
    _, axes = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(vectors @ axes[:, -MAIN_AXES:])


def _largest(block: Floats, count: int) -> Integers:
    """Return the columns of each row's largest cells, in rising order of column.

    The largest cells lie in the groups with the largest maxima, so that most cells are only compared once.
    """
    rows, columns = block.shape
    width = columns // GROUP
    if width <= count:
        found = np.argpartition(block, columns - count, axis=1)[:, columns - count :]
    else:
        peaks = block[:, : width * GROUP].reshape(rows, GROUP, width).max(axis=1)
        best = np.argpartition(peaks, width - count, axis=1)[:, width - count :]
        members = (best[:, None, :] + (np.arange(GROUP) * width)[:, None]).reshape(rows, -1)
        rest = np.broadcast_to(np.arange(width * GROUP, columns), (rows, columns - width * GROUP))
        members = np.concatenate([members, rest], axis=1)
        cells = np.take_along_axis(block, members, axis=1)
        kept = np.argpartition(cells, cells.shape[1] - count, axis=1)[:, cells.shape[1] - count :]
        found = np.take_along_axis(members, kept, axis=1)
    found.sort(axis=1)
    return found


def smoothed(vectors: Floats, places: Integers, strengths: Floats) -> Floats:
    """Draw each row towards its neighbours, whose places and strengths are given, (n, k) each.

    Statements of one subject come closer together than by their own words, since they share neighbours.
    """
    drawn = vectors.copy()
    for near, strength in zip(places.T, strengths.T, strict=True):
        drawn += strength[:, None] * vectors[near]
    return drawn
