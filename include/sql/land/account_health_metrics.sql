-- In: landed metrics of the batches without those in quarantine; countries by marketplace id; condition and target by
-- metric for where Amazon names none; statuses, bad ones in the order of their severity. Out: core.account_metric,
-- true as of the end of the batch's window; what is known of that instant stays.
insert into core.account_metric (
    account,
    marketplace,
    metric,
    fulfilment,
    period_days,
    measured_at,
    period_start,
    period_end,
    unit,
    value,
    numerator,
    denominator,
    target_value,
    target_condition,
    target_source,
    status,
    severity,
    detail,
    batch_id
)
with batches as (
    select * from ops.batch
    where batch_id = any(%(batch_ids)s::bigint[])
),

passed as (
    select
        landed.account,
        landed.batch_id,
        batches.window_end as measured_at,
        landed.reading,
        landed.reading ->> 'name' as metric
    from raw.account_health_reading as landed
    inner join batches on landed.batch_id = batches.batch_id
    where
        landed.kind = 'metric'
        and not exists (
            select 1 from ops.quarantine as aside
            where
                aside.batch_id = landed.batch_id
                and aside.dataset = 'account_health'
                and aside.row_key = landed.row_key
        )
),

typed as (
    select
        account,
        %(marketplaces)s::jsonb ->> (reading ->> 'marketplace') as marketplace,
        metric,
        reading ->> 'fulfilment' as fulfilment,
        (reading ->> 'period_days')::integer as period_days,
        measured_at,
        ops.instant(reading ->> 'period_start') as period_start,
        ops.instant(reading ->> 'period_end') as period_end,
        reading ->> 'unit' as unit,
        ops.amount(reading ->> 'value') as value,
        ops.amount(reading ->> 'numerator') as numerator,
        ops.amount(reading ->> 'denominator') as denominator,
        ops.amount(reading ->> 'target_value') as amazons_target,
        reading ->> 'target_condition' as amazons_condition,
        %(defaults)s::jsonb #>> array[metric, '0'] as default_condition,
        (%(defaults)s::jsonb #>> array[metric, '1'])::numeric as default_target,
        reading ->> 'status' as status,
        reading -> 'detail' as detail,
        batch_id
    from passed
),

aimed as (
    select
        *,
        coalesce(amazons_target, default_target) as target_value,
        coalesce(amazons_condition, default_condition) as target_condition,
        case
            when amazons_target is not null then 'amazon'
            when default_target is not null then 'settings'
        end as target_source
    from typed
),

judged as (
    select
        *,
        case
            when status = any(%(good)s::text[]) then 0
            when status <> all(%(no_verdict)s::text[]) then coalesce(array_position(%(bad)s::text[], status), 1)
            when target_condition = 'LESS_THAN' then (value >= target_value)::integer
            when target_condition = 'GREATER_THAN' then (value <= target_value)::integer
            when target_condition = 'EQUALS' then (value <> target_value)::integer
        end as severity
    from aimed
)

select
    account,
    marketplace,
    metric,
    fulfilment,
    period_days,
    measured_at,
    period_start,
    period_end,
    unit,
    value,
    numerator,
    denominator,
    target_value,
    target_condition,
    target_source,
    status,
    severity,
    detail,
    batch_id
from judged
order by account, marketplace, metric, fulfilment, period_days, measured_at, batch_id
on conflict do nothing
