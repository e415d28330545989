-- In: account, region, span_start, span_end; core.amazon_order. Out: the orders placed in the span, with the day (UTC);
-- not those that only mail named.
select
    order_id,
    (ordered_at at time zone 'UTC')::date as day
from core.amazon_order
where
    account = %(account)s::text
    and region = %(region)s::text
    and ordered_at >= %(span_start)s::timestamptz
    and ordered_at < %(span_end)s::timestamptz
    and not is_placeholder
