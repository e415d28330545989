"""The stand-in's desk asks for reviews, and exports it as a real one would."""

from datetime import UTC, datetime
from pathlib import Path

from desk_exports import desk_settings, read

from sandbox.__main__ import export_review_requests
from sandbox.world import demo_sellers, generate

UNTIL = datetime(2026, 3, 14, 12, tzinfo=UTC)


def test_review_requests_are_exported_in_a_shipped_format(tmp_path: Path) -> None:
    world = generate(seed=7, until=UNTIL, days=20, sellers=demo_sellers(), orders_per_day=4)
    folders = export_review_requests(world, tmp_path, UNTIL)
    assert set(folders) == {"northwind", "kirschblut"}
    for account, folder in folders.items():
        [file] = Path(folder).iterdir()
        parsed = read(file.read_bytes(), desk_settings("review_requests"))
        sold = {each["orderId"] for key, orders in world.orders.items() if key[0] == account for each in orders}
        asked = {row.order_id for row in parsed.rows}
        assert asked < sold
        assert len(asked) > 20
        assert {row.kind for row in parsed.rows} == {"review_request"}
        assert max(row.occurred_at for row in parsed.rows if row.occurred_at) <= UNTIL
        assert (parsed.bad_lines, parsed.ignored) == ([], 0)
