-- In: unchecked batches and their landed rows. Out: one row a batch: what the rules for whole batches look at; null
-- where a rule does not apply, or where it would say little.
-- landed_rows: null for a feedback report without any, which is an answer, and for a retry without any, whose lines
-- are as bad as before. unknown_share: of mail that nobody recognised. share_outside_window: of rows that say they
-- changed at another time than they were asked for (orders that were asked for by id left out). times_usual_rows: rows
-- against the median of the same source at the same hour and weekday of the last eight weeks. twins: earlier reports of
-- the same window with as many rows.
with batches as (
    select * from ops.batch
    where batch_id = any(%(batch_ids)s::bigint[])
),

asked_by_id as (
    select
        account,
        order_id
    from ops.order_lookup
),

orders as (
    select * from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

landed as (
    select
        orders.batch_id,
        null as kind,
        case when asked_by_id.order_id is null then ops.instant(orders.payload ->> 'lastUpdatedTime') end as changed_at
    from orders
    left join asked_by_id on orders.account = asked_by_id.account and orders.order_id = asked_by_id.order_id
    union all
    select
        batch_id,
        null as kind,
        last_updated_at as changed_at
    from raw.order_report_row
    where batch_id = any(%(batch_ids)s::bigint[])
    union all
    select
        batch_id,
        null as kind,
        null::timestamptz as changed_at
    from raw.account_health_reading
    where batch_id = any(%(batch_ids)s::bigint[])
    union all
    select
        batch_id,
        null as kind,
        null::timestamptz as changed_at
    from raw.feedback_received
    where batch_id = any(%(batch_ids)s::bigint[])
    union all
    select
        batch_id,
        null as kind,
        null::timestamptz as changed_at
    from raw.desk_action
    where batch_id = any(%(batch_ids)s::bigint[])
    union all
    select
        batch_id,
        meaning ->> 'kind' as kind,
        null::timestamptz as changed_at
    from pii.mail_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

counted as (
    select
        landed.batch_id,
        count(*) as landed_rows,
        count(landed.kind) as mails,
        avg((landed.kind = 'unknown')::integer) as unknown_share,
        count(landed.changed_at) as dated_rows,
        avg(
            (
                landed.changed_at < batches.window_start - interval '5 minutes'
                or landed.changed_at > batches.window_end + interval '10 minutes'
            )::integer
        ) as share_outside_window
    from landed
    inner join batches on landed.batch_id = batches.batch_id
    group by landed.batch_id
),

judged as (
    select
        batch_id,
        landed_rows,
        case when mails >= %(smallest_judged)s::integer then unknown_share end as unknown_share,
        case when dated_rows >= %(smallest_judged)s::integer then share_outside_window end as share_outside_window
    from counted
),

windows as (
    select
        batches.batch_id,
        earlier.window_end,
        sum(earlier.row_count) as row_count
    from batches
    inner join ops.batch as earlier
        on
            batches.account = earlier.account
            and batches.dataset = earlier.dataset
            and batches.scope = earlier.scope
    cross join generate_series(1, 8) as weeks (ago)
    where
        earlier.retry_of is null
        and date_trunc('hour', earlier.window_end)
        = date_trunc('hour', batches.window_end) - weeks.ago * interval '7 days'
        and earlier.window_end - earlier.window_start between
        (batches.window_end - batches.window_start) / 2 and (batches.window_end - batches.window_start) * 2
    group by batches.batch_id, earlier.window_end
),

usual as (
    select
        batch_id,
        percentile_cont(0.5) within group (order by row_count) as rows
    from windows
    group by batch_id
    having count(*) >= 3
),

twin_reports as (
    select
        batches.batch_id,
        count(earlier.batch_id) as twins
    from batches
    left join ops.batch as earlier
        on
            batches.account = earlier.account
            and batches.dataset = earlier.dataset
            and batches.scope = earlier.scope
            and batches.window_start = earlier.window_start
            and batches.window_end = earlier.window_end
            and batches.row_count = earlier.row_count
            and batches.batch_id > earlier.batch_id
            and earlier.retry_of is null
    where batches.dataset in ('order_report', 'feedback') and batches.retry_of is null and batches.row_count > 0
    group by batches.batch_id
)

select
    batches.batch_id,
    case
        when batches.dataset = 'feedback' or batches.retry_of is not null then judged.landed_rows
        else coalesce(judged.landed_rows, 0)
    end as landed_rows,
    batches.row_count - coalesce(judged.landed_rows, 0) as missing_rows,
    judged.unknown_share,
    case when batches.retry_of is null then judged.share_outside_window end as share_outside_window,
    case when usual.rows >= 20 and batches.retry_of is null then batches.row_count / usual.rows end as times_usual_rows,
    twin_reports.twins
from batches
left join judged on batches.batch_id = judged.batch_id
left join usual on batches.batch_id = usual.batch_id
left join twin_reports on batches.batch_id = twin_reports.batch_id
