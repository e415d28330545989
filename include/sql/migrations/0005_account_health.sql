-- In:  revision 0004. Out: account health by marketplace and day, and how fast buyers were answered, as Amazon counts.

---------- raw: as received

create table raw.account_health_received (
    batch_id bigint not null references ops.batch,
    account text not null,
    region text not null,
    document jsonb,
    xml text,
    primary key (account, batch_id),
    check (num_nonnulls(document, xml) = 1)
);
comment on table raw.account_health_received is 'Seller performance reports as received, with what nobody understood: '
'document of GET_V2_SELLER_PERFORMANCE_REPORT, xml of GET_V1_SELLER_PERFORMANCE_REPORT. Neither tells of buyers.';

create table raw.account_health_reading (
    batch_id bigint not null references ops.batch,
    account text not null,
    row_key text not null,
    kind text not null check (kind in ('metric', 'contact_response')),
    reading jsonb not null,
    primary key (account, batch_id, row_key)
);
create index account_health_reading_batch on raw.account_health_reading (batch_id);
comment on table raw.account_health_reading is 'What was read out of a report: one row a metric, or a period of '
'contact response times.';

---------- core: facts

create table core.account_metric (
    account text not null,
    marketplace text not null,
    metric text not null,
    fulfilment text check (fulfilment in ('AMAZON', 'MERCHANT')),
    period_days integer,
    measured_at timestamptz not null,
    period_start timestamptz,
    period_end timestamptz,
    unit text,
    value numeric,
    numerator numeric,
    denominator numeric,
    target_value numeric,
    target_condition text,
    target_source text check (target_source in ('amazon', 'settings')),
    status text,
    severity integer check (severity >= 0),
    detail jsonb,
    batch_id bigint not null,
    unique nulls not distinct (account, marketplace, metric, measured_at, fulfilment, period_days)
);
create index account_metric_newest on core.account_metric (account, marketplace, measured_at);
comment on table core.account_metric is 'Append-only: how a seller did, as Amazon said at measured_at. Replays '
'insert nothing.';
comment on column core.account_metric.measured_at is 'End of the window of the pull, or when the report was ordered '
'if that was hours later: Amazon tells only how things stand when asked.';
comment on column core.account_metric.value is 'By unit: a share from 0 to 1, a count, a score. Null without orders '
'behind a share.';
comment on column core.account_metric.target_value is 'Amazon''s own, else of the settings in force when published.';
comment on column core.account_metric.severity is '0: good; 1 and above: from bad to worse; null: no verdict. By '
'Amazon''s status, without one by value and target.';
comment on column core.account_metric.detail is 'The metric as received.';

create view core.account_status as
select
    account,
    marketplace,
    measured_at,
    status,
    severity = 0 as is_good,
    batch_id
from core.account_metric
where metric = 'account_status';
comment on view core.account_status is 'Whether the account could sell in the marketplace: NORMAL, AT_RISK, ...';

create table core.contact_response (
    account text not null,
    region text not null,
    marketplace text,
    period_start timestamptz,
    period_end timestamptz,
    measured_at timestamptz not null,
    average_hours numeric,
    under_24h numeric,
    over_24h numeric,
    none_after_24h numeric,
    share_under_24h numeric,
    batch_id bigint not null,
    unique nulls not distinct (account, region, marketplace, period_start, period_end, measured_at)
);
comment on table core.contact_response is 'Append-only: how fast buyers were answered over a period, by Amazon''s '
'count at measured_at.';
comment on column core.contact_response.marketplace is 'Null where Amazon names none: all of the region.';
comment on column core.contact_response.none_after_24h is 'Messages older than 24 hours without an answer.';

---------- ops: who was told

create table ops.health_alert (
    account text not null,
    marketplace text not null,
    metric text not null,
    fulfilment text,
    period_days integer,
    measured_at timestamptz not null,
    recipient text not null,
    unique nulls not distinct (account, marketplace, metric, fulfilment, period_days, recipient, measured_at)
);
comment on table ops.health_alert is 'Account health that somebody has been told, by the report that told it.';

---------- mart: answers

create function mart.account_health_as_of(as_of timestamptz) returns table (
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

    newest as (
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
        inner join core.account_metric as m
            on
                newest.account = m.account
                and newest.marketplace = m.marketplace
                and newest.measured_at = m.measured_at
        left join lateral (
            select p.value, p.severity, p.measured_at from core.account_metric as p
            where
                p.account = m.account
                and p.marketplace = m.marketplace
                and p.metric = m.metric
                and p.fulfilment is not distinct from m.fulfilment
                and p.period_days is not distinct from m.period_days
                and p.measured_at < m.measured_at
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
comment on function mart.account_health_as_of is 'Each marketplace''s newest report up to as_of, each metric beside '
'its value in the last report before that had it. What the newest report no longer names is not there.';

create view mart.account_health as
select
    account,
    marketplace,
    metric,
    fulfilment,
    period_days,
    measured_at,
    unit,
    value,
    previous_value,
    previous_measured_at,
    trend,
    is_worse,
    is_good,
    severity,
    status,
    target_value,
    target_condition,
    target_source,
    numerator,
    denominator,
    period_start,
    period_end
from mart.account_health_as_of('infinity');
comment on view mart.account_health is 'How each account does in each marketplace now: value, target, status, trend '
'(better, worse, same, new). is_good: null where there is no verdict. is_worse: than it was before.';
