-- In: accounts, span_start, span_end, as_of; ops.pulled, ops.batch, core.amazon_order. Out: one row an account and
-- region of which anything is known: whether orders were ever pulled there, for how many seconds of the span, by search
-- or report, and the first gap in it (null: none); of the reports that overlap the span batches, lines, batches that
-- wait for checks or publishing and that were refused, when the last came; and how many lines a day brings: as reports
-- did, else as many as there were orders in the 30 days before as_of.
with pulled as (
    select
        account,
        scope as region,
        range_agg(spans) as spans,
        tstzmultirange(tstzrange(%(span_start)s::timestamptz, %(span_end)s::timestamptz)) as asked
    from ops.pulled
    where source in ('orders', 'order_report') and account = any(%(accounts)s::text[])
    group by account, scope
),

pieces as (
    select
        pulled.account,
        pulled.region,
        sum(extract(epoch from upper(piece.span) - lower(piece.span))) as pulled_seconds
    from pulled
    cross join lateral unnest(pulled.spans * pulled.asked) as piece (span)
    group by pulled.account, pulled.region
),

gaps as (
    select distinct on (pulled.account, pulled.region)
        pulled.account,
        pulled.region,
        lower(gap.span) as gap_start,
        upper(gap.span) as gap_end
    from pulled
    cross join lateral unnest(pulled.asked - pulled.spans) as gap (span)
    order by pulled.account, pulled.region, lower(gap.span)
),

reports as (
    select
        account,
        scope as region,
        count(*) as batches,
        sum(row_count) as lines,
        count(*) filter (where published_at is null and rejected_because is null) as waiting,
        count(*) filter (where rejected_because is not null and discarded_at is null) as refused,
        max(landed_at) as last_landed_at
    from ops.batch
    where
        dataset = 'order_report'
        and account = any(%(accounts)s::text[])
        and window_start < %(span_end)s::timestamptz
        and window_end > %(span_start)s::timestamptz
    group by account, scope
),

by_report as (
    select
        account,
        scope as region,
        sum(row_count) / (extract(epoch from sum(window_end - window_start)) / 86400) as lines_a_day
    from ops.batch
    where dataset = 'order_report' and account = any(%(accounts)s::text[]) and window_end > window_start
    group by account, scope
),

by_orders as (
    select
        account,
        region,
        count(*) / 30.0 as lines_a_day
    from core.amazon_order
    where
        account = any(%(accounts)s::text[])
        and ordered_at > %(as_of)s::timestamptz - interval '30 days'
        and ordered_at <= %(as_of)s::timestamptz
    group by account, region
),

places as (
    select
        account,
        region
    from pulled
    union
    select
        account,
        region
    from by_report
    union
    select
        account,
        region
    from by_orders
)

select
    places.account,
    places.region,
    gaps.gap_start,
    gaps.gap_end,
    reports.last_landed_at,
    pulled.account is not null as is_pulled,
    coalesce(pieces.pulled_seconds, 0)::double precision as pulled_seconds,
    coalesce(reports.batches, 0) as batches,
    coalesce(reports.lines, 0) as lines,
    coalesce(reports.waiting, 0) as waiting,
    coalesce(reports.refused, 0) as refused,
    coalesce(by_report.lines_a_day, by_orders.lines_a_day)::double precision as lines_a_day
from places
left join pulled on places.account = pulled.account and places.region = pulled.region
left join pieces on places.account = pieces.account and places.region = pieces.region
left join gaps on places.account = gaps.account and places.region = gaps.region
left join reports on places.account = reports.account and places.region = reports.region
left join by_report on places.account = by_report.account and places.region = by_report.region
left join by_orders on places.account = by_orders.account and places.region = by_orders.region
order by places.account, places.region
