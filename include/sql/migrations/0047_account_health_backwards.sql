-- In: the figures of 0043. Out: what a figure was before is read backwards, however long its history is.
create or replace function mart.account_health_as_of(as_of timestamptz) returns table (
    account text,
    marketplace text,
    metric text,
    fulfilment text,
    period_days integer,
    measured_at timestamptz,
    unit text,
    value numeric,
    previous_value numeric,
    previous_measured_at timestamptz,
    trend text,
    is_worse boolean,
    is_good boolean,
    severity integer,
    status text,
    target_value numeric,
    target_condition text,
    target_source text,
    numerator numeric,
    denominator numeric,
    period_start timestamptz,
    period_end timestamptz
)
language sql stable parallel safe
as $$
    -- Steps from one marketplace to the next, because looking at all of the history takes long.
    with recursive place as (
        (
            select m.account, m.marketplace from core.account_metric as m
            order by m.account, m.marketplace
            limit 1
        )
        union all
        select n.account, n.marketplace
        from place
        cross join lateral (
            select m.account, m.marketplace from core.account_metric as m
            where (m.account, m.marketplace) > (place.account, place.marketplace)
            order by m.account, m.marketplace
            limit 1
        ) as n
    ),

    -- Materialized: PostgreSQL would else look at all of the history for a few hundred reports.
    newest as materialized (
        select place.account, place.marketplace, report.measured_at
        from place
        cross join lateral (
            select m.measured_at from core.account_metric as m
            where
                m.account = place.account
                and m.marketplace = place.marketplace
                and m.measured_at <= as_of
            order by m.measured_at desc
            limit 1
        ) as report
    ),

    compared as (
        select
            m.*,
            past.value as previous_value,
            past.measured_at as previous_measured_at,
            case
                when past.measured_at is null then 'new'
                when m.value > past.value and m.target_condition = 'GREATER_THAN' then 'better'
                when m.value < past.value and m.target_condition = 'GREATER_THAN' then 'worse'
                when m.value > past.value then 'worse'
                when m.value < past.value then 'better'
                when coalesce(m.severity, 0) > coalesce(past.severity, 0) then 'worse'
                when coalesce(m.severity, 0) < coalesce(past.severity, 0) then 'better'
                else 'same'
            end as trend,
            past.measured_at is not null
            and coalesce(m.severity, 0) > coalesce(past.severity, 0) as has_sunk
        from newest
        -- Of its own, so that each report is looked up: joined, all of the history would be.
        cross join lateral (
            select * from core.account_metric as told
            where
                told.account = newest.account
                and told.marketplace = newest.marketplace
                and told.measured_at = newest.measured_at
            offset 0
        ) as m
        -- PostgreSQL guesses that of a case half fit: so it reads backwards until one does, not all of a metric's history.
        left join lateral (
            select p.value, p.severity, p.measured_at from core.account_metric as p
            where
                p.account = m.account
                and p.marketplace = m.marketplace
                and p.metric = m.metric
                and p.measured_at < m.measured_at
                and case
                    when p.fulfilment is not distinct from m.fulfilment
                        then p.period_days is not distinct from m.period_days
                    else false
                end
            order by p.measured_at desc
            limit 1
        ) as past on true
    )

    select
        c.account,
        c.marketplace,
        c.metric,
        c.fulfilment,
        c.period_days,
        c.measured_at,
        c.unit,
        c.value,
        c.previous_value,
        c.previous_measured_at,
        c.trend,
        c.trend = 'worse' or c.has_sunk,
        c.severity = 0,
        c.severity,
        c.status,
        c.target_value,
        c.target_condition,
        c.target_source,
        c.numerator,
        c.denominator,
        c.period_start,
        c.period_end
    from compared as c
$$;
