-- In: as_of, ship_soon (span); time zones by country; core.unshipped_order. Out: one row an account and marketplace
-- with orders to ship, now or at the end of the marketplace's last day: how many there are (to_ship), past their
-- ship-by time (late), to be shipped within the span (soon), without a known ship-by time (undated); how many were
-- left at the end of that day (left_over), and when that was.
with sites as (
    select
        zone.country,
        date_trunc('day', %(as_of)s::timestamptz at time zone zone.name) at time zone zone.name as day_end
    from jsonb_each_text(%(zones)s::jsonb) as zone (country, name)
),

unshipped as (
    select * from core.unshipped_order(%(as_of)s::timestamptz)
),

now_unshipped as (
    select
        account,
        marketplace,
        count(*) as to_ship,
        count(*) filter (where ship_by_at < %(as_of)s::timestamptz) as late,
        count(*) filter (
            where
            ship_by_at >= %(as_of)s::timestamptz
            and ship_by_at <= %(as_of)s::timestamptz + %(ship_soon)s::interval
        ) as soon,
        count(*) filter (where ship_by_at is null) as undated,
        min(ship_by_at) as next_ship_by
    from unshipped
    where marketplace is not null
    group by account, marketplace
),

left_over as (
    select
        order_then.account,
        order_then.marketplace,
        count(*) as orders
    from sites
    cross join lateral core.unshipped_order(sites.day_end) as order_then
    where order_then.marketplace = sites.country
    group by order_then.account, order_then.marketplace
)

select
    coalesce(now_unshipped.account, left_over.account) as account,
    sites.country as marketplace,
    coalesce(now_unshipped.to_ship, 0) as to_ship,
    coalesce(now_unshipped.late, 0) as late,
    coalesce(now_unshipped.soon, 0) as soon,
    coalesce(now_unshipped.undated, 0) as undated,
    now_unshipped.next_ship_by,
    coalesce(left_over.orders, 0) as left_over,
    sites.day_end
from now_unshipped
full join left_over
    on now_unshipped.account = left_over.account and now_unshipped.marketplace = left_over.marketplace
inner join sites on coalesce(now_unshipped.marketplace, left_over.marketplace) = sites.country
order by account, marketplace
