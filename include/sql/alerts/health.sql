-- In: as_of; agents (name, email, marketplaces: none means all); core.account_metric. Out: ops.health_alert, one row
-- a person and metric of the newest report that got worse, or is not good and the person has not been told since it
-- last was good; returned are those the person has not been told of this report.
insert into ops.health_alert (
    account,
    marketplace,
    metric,
    fulfilment,
    period_days,
    measured_at,
    recipient
)
with agents as (
    select
        agent.email,
        agent.marketplaces
    from jsonb_to_recordset(%(agents)s::jsonb) as agent (email text, marketplaces text[])
),

health as (
    select * from mart.account_health_as_of(%(as_of)s::timestamptz)
    where severity > 0 or is_worse
),

recovered as (
    select
        health.*,
        coalesce(good.measured_at, '-infinity') as good_at
    from health
    left join lateral (
        select max(metric.measured_at) as measured_at from core.account_metric as metric
        where
            metric.account = health.account
            and metric.marketplace = health.marketplace
            and metric.metric = health.metric
            and metric.fulfilment is not distinct from health.fulfilment
            and metric.period_days is not distinct from health.period_days
            and metric.measured_at < health.measured_at
            and coalesce(metric.severity, 0) = 0
    ) as good on true
),

alerts as (
    select distinct
        recovered.account,
        recovered.marketplace,
        recovered.metric,
        recovered.fulfilment,
        recovered.period_days,
        recovered.measured_at,
        agents.email as recipient
    from recovered
    inner join agents
        on cardinality(agents.marketplaces) = 0 or recovered.marketplace = any(agents.marketplaces)
    where
        recovered.is_worse
        or not exists (
            select 1 from ops.health_alert as told
            where
                told.recipient = agents.email
                and told.account = recovered.account
                and told.marketplace = recovered.marketplace
                and told.metric = recovered.metric
                and told.fulfilment is not distinct from recovered.fulfilment
                and told.period_days is not distinct from recovered.period_days
                and told.measured_at > recovered.good_at
        )
)

select * from alerts
order by recipient, account, marketplace, metric, fulfilment, period_days
on conflict do nothing
returning account, marketplace, metric, fulfilment, period_days, recipient
