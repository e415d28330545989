"""Charts for mail and files, by Matplotlib. The same figures give the same bytes."""

import io
from collections.abc import Sequence
from typing import Any, Literal

Row = dict[str, Any]
Format = Literal["png", "svg"]
# Okabe and Ito's colours, which everybody can tell apart.
BLUE, ORANGE, QUIET = "#0072b2", "#e69f00", "#5b6474"
TARGET = 0.9  # Amazon's: nine of ten answered within 24 hours
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def share_and_backlog(days: Sequence[Row], form: Format = "png") -> bytes:
    """A line of the share met and bars of the backlog, by day; with Amazon's target.

    Args:
        days: rows of levels.days, the oldest first.
    """
    figure, axes = _figure(6.4, 2.3)
    labels = [f"{row['day']:%d %b}" for row in days]
    places = list(range(len(days)))
    backlog = axes.twinx()
    backlog.bar(places, [int(row["backlog"]) for row in days], color=ORANGE, alpha=0.55, width=0.7)
    backlog.set_ylabel("backlog", color=QUIET, fontsize=8)
    backlog.yaxis.get_major_locator().set_params(integer=True)
    backlog.set_ylim(bottom=0, top=None if any(row["backlog"] for row in days) else 1)
    axes.set_zorder(2)
    axes.patch.set_visible(False)
    shares = [float("nan") if row["share_met"] is None else float(row["share_met"]) for row in days]
    axes.plot(places, shares, color=BLUE, marker="o", markersize=3, linewidth=1.6)
    axes.axhline(TARGET, color=BLUE, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_ylim(0, 1.05)
    axes.set_yticks([0, 0.5, TARGET, 1], ["0 %", "50 %", "90 %", "100 %"])
    axes.set_ylabel("share met", color=BLUE, fontsize=8)
    step = max(1, len(days) // 8)
    axes.set_xticks(places[::step], labels[::step])
    for each in (axes, backlog):
        each.tick_params(labelsize=8, colors=QUIET, length=0)
        for side in ("top", "left", "right"):
            each.spines[side].set_visible(False)
    return _written(figure, form)


def busiest_hours(shape: Sequence[Row], form: Format = "png") -> bytes:
    """How many cycles began in each hour (UTC) of the week, the darker the more.

    Args:
        shape: rows of levels.shape.
    """
    counts = [[0] * 24 for _ in WEEKDAYS]
    for row in shape:
        if row["weekday"] is not None:
            counts[row["weekday"] - 1][row["hour"]] = int(row["cycles"])
    figure, axes = _figure(6.4, 1.9)
    axes.imshow(counts, cmap="Blues", aspect="auto", vmin=0)
    most = max(map(max, counts))
    for weekday, hours in enumerate(counts):
        for hour, count in enumerate(hours):
            if count:
                dark = count > most * 0.6
                axes.text(
                    hour, weekday, count, ha="center", va="center", fontsize=7, color="white" if dark else "black"
                )
    axes.set_xticks(range(0, 24, 3), [f"{hour}:00" for hour in range(0, 24, 3)])
    axes.set_yticks(range(7), WEEKDAYS)
    axes.tick_params(labelsize=8, colors=QUIET, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return _written(figure, form)


def _figure(width: float, height: float) -> tuple[Any, Any]:
    """A figure of its own, without pyplot's memory of all figures; inches."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    return figure, figure.add_subplot()


def _written(figure: Any, form: Format) -> bytes:
    import matplotlib as mpl

    written = io.BytesIO()
    metadata = {"Software": None} if form == "png" else {"Date": None, "Creator": None}
    with mpl.rc_context({"svg.hashsalt": "amazon-support"}):
        figure.savefig(written, format=form, dpi=160, metadata=metadata)
    return written.getvalue()
