-- In: landed readings of the batches. Out: one row a reading: what the rules look at, null where a rule does not
-- apply. marketplace_id: null where contact response times speak for a whole region.
with readings as (
    select * from raw.account_health_reading
    where batch_id = any(%(batch_ids)s::bigint[])
),

typed as (
    select
        batch_id,
        row_key,
        kind,
        reading ->> 'marketplace' as marketplace_id,
        reading ->> 'status' as status,
        reading ->> 'unit' as unit,
        reading -> 'unreadable' as unreadable,
        ops.amount(reading ->> 'value') as value,
        ops.amount(reading ->> 'share_under_24h') as share_under_24h,
        least(
            ops.amount(reading ->> 'average_hours'),
            ops.amount(reading ->> 'under_24h'),
            ops.amount(reading ->> 'over_24h'),
            ops.amount(reading ->> 'none_after_24h')
        ) as least_answered
    from readings
)

select
    batch_id,
    row_key,
    marketplace_id,
    status,
    case when kind = 'contact_response' then share_under_24h when unit = 'share' then value end as share,
    case when kind = 'contact_response' then least_answered when unit = 'count' then value end as counted,
    case when unreadable ?| array['period_start', 'period_end'] then 1 else 0 end as unreadable_periods,
    jsonb_array_length(unreadable - 'period_start' - 'period_end') as unreadable_values
from typed
