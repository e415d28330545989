-- In: landed feedback of the batches. Out: one row a line: what the rules look at. days_ahead of the report and
-- days_before its span, by UTC's calendar; lines_of_order: how many lines of the report are about the same order.
with received as (
    select * from raw.feedback_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

spans as (
    select
        batch_id,
        (window_start at time zone 'UTC')::date as first_day,
        (window_end at time zone 'UTC')::date as last_day
    from ops.batch
    where batch_id = any(%(batch_ids)s::bigint[])
)

select
    received.batch_id,
    'line ' || received.line_number as row_key,
    received.order_id,
    received.rating,
    report.marketplace,
    received.rated_on - greatest(spans.last_day, (report.seen_at at time zone 'UTC')::date) as days_ahead,
    spans.first_day - received.rated_on as days_before,
    count(*) over (partition by received.batch_id, received.order_id) as lines_of_order
from received
inner join spans on received.batch_id = spans.batch_id
inner join raw.feedback_report as report
    on received.account = report.account and received.batch_id = report.batch_id
