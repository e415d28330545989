-- In: unchecked batches and their landed rows. Out: one row a batch: what the rules for whole batches look at.
-- landed_rows: null for a feedback report without any, which is an answer, and for a retry without any, whose lines are
-- as bad as before. unknown_share: share of mail that nobody recognised; null for other datasets and where it would say
-- little.
with batches as (
    select * from ops.batch
    where batch_id = any(%(batch_ids)s::bigint[])
),

landed as (
    select
        batch_id,
        null as kind
    from raw.order_received
    where batch_id = any(%(batch_ids)s::bigint[])
    union all
    select
        batch_id,
        null as kind
    from raw.order_report_row
    where batch_id = any(%(batch_ids)s::bigint[])
    union all
    select
        batch_id,
        null as kind
    from raw.account_health_reading
    where batch_id = any(%(batch_ids)s::bigint[])
    union all
    select
        batch_id,
        null as kind
    from raw.feedback_received
    where batch_id = any(%(batch_ids)s::bigint[])
    union all
    select
        batch_id,
        null as kind
    from raw.desk_action
    where batch_id = any(%(batch_ids)s::bigint[])
    union all
    select
        batch_id,
        meaning ->> 'kind' as kind
    from pii.mail_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

counted as (
    select
        batch_id,
        count(*) as landed_rows,
        case when count(kind) >= %(smallest_judged)s::integer then avg((kind = 'unknown')::integer) end
            as unknown_share
    from landed
    group by batch_id
)

select
    batches.batch_id,
    case
        when batches.dataset = 'feedback' or batches.retry_of is not null then counted.landed_rows
        else coalesce(counted.landed_rows, 0)
    end as landed_rows,
    batches.row_count - coalesce(counted.landed_rows, 0) as missing_rows,
    counted.unknown_share
from batches
left join counted on batches.batch_id = counted.batch_id
