"""Figures for people: one line each, then who spent the CPU, then the machine."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table

from parcelwall.bench.figure import Figure
from parcelwall.bench.machine import Machine


def show(figures: Sequence[Figure], machine: Machine) -> None:
    """Prints the table to standard output."""
    table = Table(title="Parcelwall, measured", show_edge=False)
    for heading, side in (("figure", "left"), ("value", "right"), ("unit", "left"), ("reference", "right"),
                          ("ratio", "right"), ("floor", "right"), ("runs", "right"), ("spread", "right")):  # fmt: skip
        table.add_column(heading, justify=side)  # type: ignore[arg-type]
    for each in figures:
        if each.skipped:
            table.add_row(each.name, "-", f"skipped: {each.skipped}")
            continue
        table.add_row(each.name, _number(each.value), each.unit, _number(each.reference), _number(each.ratio),
                      _number(each.floor), str(each.runs), _number(each.spread))  # fmt: skip
    out = Console()
    out.print(table)
    for each in figures:
        if each.cpu_us and not each.name.endswith("_cpu"):
            told = f"{each.name}: CPU in us per unit {_parts(each.cpu_us)}; reference "
            out.print(f"{told}{_parts(each.reference_cpu_us)}; "
                      f"{_parts(each.more)}", highlight=False)  # fmt: skip
    out.print(f"On {machine.cores} cores of {machine.cpu}, {machine.ram_gib} GiB, Linux {machine.kernel}, Python "
              f"{machine.python}, PostgreSQL {machine.postgresql} (fsync {machine.fsync}), {machine.pgbench}, load "
              f"{machine.load_1_min} at the start", highlight=False)  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _parts(table: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in table.items()) or "-"
