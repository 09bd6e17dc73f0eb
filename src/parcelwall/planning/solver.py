"""Mixed-integer linear programs, solved by HiGHS (Huangfu, Hall 2018)."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import highspy
import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from parcelwall.errors import Trouble

Array = NDArray[np.float64]


class Rows:
    """Constraints `low <= sum(coefficient * x) <= high`, row by row or many at once."""

    def __init__(self) -> None:
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.int64], Array]] = []
        self._low: list[Array] = []
        self._high: list[Array] = []
        self.count = 0

    def add(self, columns: Sequence[int] | NDArray[np.int64], values: float | Array, low: float, high: float) -> None:
        """One row. `values` is one coefficient for all columns, or one each."""
        where = np.asarray(columns, dtype=np.int64)
        self.add_many(np.zeros(len(where), dtype=np.int64), where, values, np.array([low]), np.array([high]))

    def add_many(
        self, rows: NDArray[np.int64], columns: NDArray[np.int64], values: float | Array, low: Array, high: Array
    ) -> None:
        """`len(low)` rows; `rows` counts from 0 within them."""
        filled = np.broadcast_to(np.asarray(values, dtype=np.float64), columns.shape)
        self._parts.append((rows + self.count, columns, filled))
        self._low.append(low)
        self._high.append(high)
        self.count += len(low)

    def fill(self, program: highspy.HighsLp) -> None:
        """Puts the rows into a program of HiGHS."""
        rows, where, values = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        matrix = csr_array((values, (rows, where)), shape=(self.count, program.num_col_))
        program.num_row_ = self.count
        program.row_lower_, program.row_upper_ = np.concatenate(self._low), np.concatenate(self._high)
        program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        program.a_matrix_.start_, program.a_matrix_.index_ = matrix.indptr, matrix.indices
        program.a_matrix_.value_ = matrix.data


class Solved(NamedTuple):
    """`x`: values of the columns; `bound`: no solution can be below it; `proven`: `objective` is the least there is.

    `seconds` of solving.
    """

    x: Array
    objective: float
    bound: float
    proven: bool
    seconds: float


class OutOfTime(Trouble):
    """Nothing was found in the time allowed. Whoever has a plan of their own by then need not give it up."""


class Limits(msgspec.Struct, frozen=True):
    """How long to look, in seconds, and which relative gap is good enough."""

    seconds: float = 600.0
    gap: float = 1e-9


def minimise(
    cost: Array, rows: Rows, *, integer: NDArray[np.bool_], low: Array, high: Array, limits: Limits | None = None
) -> Solved | None:
    """The x that costs least within `low` and `high`, whole numbers where `integer`; None if there is none.

    Raises OutOfTime when HiGHS finds nothing in the time it has.
    """
    limits = limits or Limits()
    with _silence():
        solver = highspy.Highs()
        for name, value in (("output_flag", False), ("time_limit", limits.seconds), ("mip_rel_gap", limits.gap),
                            ("mip_abs_gap", 1e-9), ("threads", 1)):  # fmt: skip
            solver.setOptionValue(name, value)
        solver.passModel(_program(cost, rows, integer, low, high))
        solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    info, x = solver.getInfo(), np.array(solver.getSolution().col_value)
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        raise OutOfTime(f"no plan was found in {limits.seconds:.0f} s: allow more time or ask for less")
    whole, proven = bool(integer.any()), status == highspy.HighsModelStatus.kOptimal
    objective = float(info.objective_function_value)
    bound = float(info.mip_dual_bound) if whole else objective if proven else -np.inf
    return Solved(x, objective, bound, proven, float(solver.getRunTime()))


@contextmanager
def _silence() -> Iterator[None]:
    """HiGHS greets on standard output, which may be somebody's JSON, before it can be told not to."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def _program(cost: Array, rows: Rows, integer: NDArray[np.bool_], low: Array, high: Array) -> highspy.HighsLp:
    program = highspy.HighsLp()
    program.num_col_ = len(cost)
    program.col_cost_, program.col_lower_, program.col_upper_ = cost, low, high
    kinds = highspy.HighsVarType
    program.integrality_ = [kinds.kInteger if each else kinds.kContinuous for each in integer]
    rows.fill(program)
    return program
