-- In: landed contact response times of the batches without those in quarantine; countries by marketplace id.
-- Out: core.contact_response, true as of the end of the batch's window; what is known of that instant stays.
insert into core.contact_response (
    account,
    region,
    marketplace,
    period_start,
    period_end,
    measured_at,
    average_hours,
    under_24h,
    over_24h,
    none_after_24h,
    share_under_24h,
    batch_id
)
with batches as (
    select * from ops.batch
    where batch_id = any(%(batch_ids)s::bigint[])
),

passed as (
    select
        landed.account,
        batches.scope as region,
        batches.window_end as measured_at,
        landed.reading,
        landed.batch_id
    from raw.account_health_reading as landed
    inner join batches on landed.batch_id = batches.batch_id
    where
        landed.kind = 'contact_response'
        and not exists (
            select 1 from ops.quarantine as aside
            where
                aside.batch_id = landed.batch_id
                and aside.dataset = 'account_health'
                and aside.row_key = landed.row_key
        )
)

select
    account,
    region,
    %(marketplaces)s::jsonb ->> (reading ->> 'marketplace') as marketplace,
    ops.instant(reading ->> 'period_start') as period_start,
    ops.instant(reading ->> 'period_end') as period_end,
    measured_at,
    ops.amount(reading ->> 'average_hours') as average_hours,
    ops.amount(reading ->> 'under_24h') as under_24h,
    ops.amount(reading ->> 'over_24h') as over_24h,
    ops.amount(reading ->> 'none_after_24h') as none_after_24h,
    ops.amount(reading ->> 'share_under_24h') as share_under_24h,
    batch_id
from passed
order by account, region, marketplace, period_end, measured_at, batch_id
on conflict do nothing
