-- In: tickets, status periods and clocks. Out: compliance by day and month, and our response times beside Amazon's.

---------- compliance

create table mart.place (
    account text not null,
    marketplace text not null,
    region text not null,
    desk text,
    team text,
    primary key (account, marketplace)
);
comment on table mart.place is 'What the settings say of an account in a marketplace.';

create table ops.compliance_touched (
    account text not null,
    ticket_key text not null,
    primary key (account, ticket_key)
);
comment on table ops.compliance_touched is 'Tickets folded since compliance was last written.';

create table ops.compliance_made (
    is_only boolean primary key default true check (is_only),
    made_until date not null
);
comment on table ops.compliance_made is 'Days before this one (UTC) are in mart.compliance.';

create table mart.compliance_cycle (
    account text not null,
    ticket_id text not null,
    ticket_key text not null,
    metric text not null,
    cycle integer not null,
    marketplace text,
    desk text,
    team text,
    ticket_type text not null,
    agent text not null,
    started_at timestamptz not null,
    waiting_until timestamptz not null,
    rests tstzmultirange,
    breached_at timestamptz,
    ended_at timestamptz,
    is_met boolean,
    is_reopened boolean,
    elapsed_seconds numeric,
    response_seconds numeric,
    primary key (account, ticket_id, metric, cycle)
);
create index compliance_cycle_by_key on mart.compliance_cycle (account, ticket_key);
create index compliance_cycle_ended on mart.compliance_cycle (account, ended_at) where ended_at is not null;
create index compliance_cycle_breached on mart.compliance_cycle (account, breached_at) where breached_at is not null;
create index compliance_cycle_waiting on mart.compliance_cycle (account, waiting_until);
create index compliance_cycle_replies on mart.compliance_cycle (account, started_at) where metric = 'amazon_reply';
comment on table mart.compliance_cycle is 'What compliance counts: each cycle of a clock; and as metric `ticket` each '
'stretch of a ticket from being created or reopened until it is solved. Known beyond today, as clocks are.';
comment on column mart.compliance_cycle.agent is 'Actor of the event that ended it; unknown: nobody yet, nobody (by '
'itself), or somebody whose name was not told.';
comment on column mart.compliance_cycle.waiting_until is 'It is in the backlog until then: it ended, or the ticket was '
'closed. infinity: no end is known. Equal to started_at: never in the backlog, because it began before the account '
'went live.';
comment on column mart.compliance_cycle.rests is 'When it was stopped and later went on; null: never.';
comment on column mart.compliance_cycle.breached_at is 'Due instant that was missed; null too where it was cancelled.';
comment on column mart.compliance_cycle.ended_at is 'Null: not yet, or cancelled.';
comment on column mart.compliance_cycle.is_met is 'Ended in time; null where nothing was promised or it did not end.';
comment on column mart.compliance_cycle.is_reopened is 'Of metric ticket, once it ended: whether it went on later.';
comment on column mart.compliance_cycle.elapsed_seconds is 'Seconds counted by its calendar, without pauses.';
comment on column mart.compliance_cycle.response_seconds is 'Seconds from started_at to ended_at, of any hour.';

create table mart.compliance (
    period text not null check (period in ('day', 'month')),
    starts_on date not null,
    account text not null,
    marketplace text,
    desk text,
    team text,
    agent text not null,
    ticket_type text not null,
    metric text not null,
    ended bigint not null,
    met bigint not null,
    breached bigint not null,
    share_met numeric generated always as (round(met::numeric / nullif(met + breached, 0), 4)) stored,
    median_elapsed_seconds numeric,
    p90_elapsed_seconds numeric,
    p95_elapsed_seconds numeric,
    median_response_seconds numeric,
    p90_response_seconds numeric,
    p95_response_seconds numeric,
    reopened bigint not null,
    reopened_share numeric generated always as (
        case when metric = 'ticket' then round(reopened::numeric / nullif(ended, 0), 4) end
    ) stored,
    backlog bigint not null,
    oldest_waiting_seconds bigint,
    unique nulls not distinct (
        account, period, starts_on, metric, marketplace, desk, team, agent, ticket_type
    )
);
comment on table mart.compliance is 'Compliance of days and months (UTC) that have ended, or of a month so far. Read '
'it as mart.compliance_day and mart.compliance_month.';
comment on column mart.compliance.agent is 'As in mart.compliance_cycle. The backlog is always of agent unknown.';
comment on column mart.compliance.metric is 'A metric of policies.yaml; or `ticket`, from being created or reopened '
'until solved.';
comment on column mart.compliance.ended is 'Cycles that ended in the period, in time or late. Months are sums of days.';
comment on column mart.compliance.met is 'Of those, how many in time. Months are sums of days.';
comment on column mart.compliance.breached is 'Cycles whose due instant passed in the period, whether they ended later '
'or not. Each is counted once: as met when it ended or as breached when it was due. Months are sums of days.';
comment on column mart.compliance.share_met is 'met of met and breached, 0 to 1. Weigh by met + breached.';
comment on column mart.compliance.median_elapsed_seconds is 'Of the cycles that ended: seconds of their calendar. A '
'response time that occurred: at least half of them were as quick. Months are not sums of days.';
comment on column mart.compliance.median_response_seconds is 'The same in seconds of any hour, pauses included.';
comment on column mart.compliance.reopened is 'Of metric ticket: of those that ended, how many were reopened later.';
comment on column mart.compliance.backlog is 'Cycles running just before the midnight at which the period ends. A '
'month''s is that of its last day.';
comment on column mart.compliance.oldest_waiting_seconds is 'Seconds of any hour that the oldest of the backlog had '
'waited by that midnight.';

create view mart.compliance_day as
select
    starts_on as day,
    account,
    marketplace,
    desk,
    team,
    agent,
    ticket_type,
    metric,
    ended,
    met,
    breached,
    share_met,
    median_elapsed_seconds,
    p90_elapsed_seconds,
    p95_elapsed_seconds,
    median_response_seconds,
    p90_response_seconds,
    p95_response_seconds,
    reopened,
    reopened_share,
    backlog,
    oldest_waiting_seconds
from mart.compliance
where period = 'day';
comment on view mart.compliance_day is 'Compliance by day (UTC), marketplace, desk, team, agent, ticket type, metric.';

create view mart.compliance_month as
select
    starts_on as month,
    account,
    marketplace,
    desk,
    team,
    agent,
    ticket_type,
    metric,
    ended,
    met,
    breached,
    share_met,
    median_elapsed_seconds,
    p90_elapsed_seconds,
    p95_elapsed_seconds,
    median_response_seconds,
    p90_response_seconds,
    p95_response_seconds,
    reopened,
    reopened_share,
    backlog,
    oldest_waiting_seconds
from mart.compliance
where period = 'month';
comment on view mart.compliance_month is 'Compliance by month (UTC); of the running one, the days that have ended.';

---------- beside Amazon's figures

create function mart.contact_response_as_of(as_of timestamptz)
returns table (
    account text,
    region text,
    marketplace text,
    period_days integer,
    period_start timestamptz,
    period_end timestamptz,
    measured_at timestamptz,
    under_24h bigint,
    over_24h bigint,
    none_after_24h bigint,
    share_under_24h numeric,
    average_hours numeric,
    amazon_under_24h numeric,
    amazon_over_24h numeric,
    amazon_none_after_24h numeric,
    amazon_share_under_24h numeric,
    amazon_average_hours numeric,
    difference numeric
)
language sql stable parallel safe
as $$
with told as (
    select distinct on (report.account, report.region, report.marketplace, span.days)
        report.*,
        span.days as period_days
    from core.contact_response as report
    inner join (values (7), (30), (90)) as span (days)
        on abs(extract(epoch from report.period_end - report.period_start) / 86400 - span.days) <= 1
    where report.measured_at <= as_of
    order by report.account, report.region, report.marketplace, span.days, report.measured_at desc
),

-- Where Amazon has told nothing, ours stand alone: of the whole account, up to the instant asked for.
own as (
    select
        places.account,
        span.days as period_days
    from (
        select distinct place.account from mart.place as place
    ) as places
    cross join (values (7), (30), (90)) as span (days)
    where
        isfinite(as_of)
        and not exists (
            select 1 from told
            where told.account = places.account and told.period_days = span.days
        )
),

periods as (
    select
        told.account,
        told.region,
        told.marketplace,
        told.period_days,
        told.period_start,
        told.period_end,
        told.measured_at,
        told.measured_at as known_at,
        told.under_24h,
        told.over_24h,
        told.none_after_24h,
        told.share_under_24h,
        told.average_hours
    from told
    union all
    select
        own.account,
        null as region,
        null as marketplace,
        own.period_days,
        as_of - make_interval(hours => own.period_days * 24) as period_start,
        as_of as period_end,
        null as measured_at,
        as_of as known_at,
        null as under_24h,
        null as over_24h,
        null as none_after_24h,
        null as share_under_24h,
        null as average_hours
    from own
)

select
    periods.account,
    periods.region,
    periods.marketplace,
    periods.period_days,
    periods.period_start,
    periods.period_end,
    periods.measured_at,
    ours.under_24h,
    ours.over_24h,
    ours.none_after_24h,
    shares.share_under_24h,
    ours.average_hours,
    periods.under_24h,
    periods.over_24h,
    periods.none_after_24h,
    periods.share_under_24h,
    periods.average_hours,
    shares.share_under_24h - periods.share_under_24h
from periods
cross join lateral (
    select
        count(*) filter (
            where contact.ended_at <= periods.known_at and contact.response_seconds <= 86400
        ) as under_24h,
        count(*) filter (
            where contact.ended_at <= periods.known_at and contact.response_seconds > 86400
        ) as over_24h,
        count(*) filter (
            where
            (contact.ended_at is null or contact.ended_at > periods.known_at)
            and contact.started_at < periods.known_at - interval '24 hours'
        ) as none_after_24h,
        round(avg(contact.response_seconds) filter (where contact.ended_at <= periods.known_at) / 3600, 2)
            as average_hours
    from mart.compliance_cycle as contact
    where
        contact.account = periods.account
        and contact.metric = 'amazon_reply'
        and contact.started_at >= periods.period_start
        and contact.started_at < periods.period_end
        and (periods.marketplace is null or contact.marketplace = periods.marketplace)
        and (
            periods.region is null
            or exists (
                select 1 from mart.place as place
                where
                    place.account = contact.account
                    and place.marketplace = contact.marketplace
                    and place.region = periods.region
            )
        )
) as ours
cross join lateral (
    select round(
        ours.under_24h::numeric / nullif(ours.under_24h + ours.over_24h + ours.none_after_24h, 0), 6
    ) as share_under_24h
) as shares
$$;
comment on function mart.contact_response_as_of is 'How fast buyers were answered over 7, 30 and 90 days: ours beside '
'the newest that Amazon told by then, for the same period and as known when Amazon counted; where Amazon told nothing, '
'ours alone, up to as_of. By Amazon''s rule: share of 0 to 1 of the contacts that were answered within 24 hours, every '
'hour counts, and one without an answer for more than 24 hours is late. Ours counts the unanswered buyer messages '
'of a ticket as one contact. difference: our share less Amazon''s.';

create view mart.contact_response as
select
    account,
    region,
    marketplace,
    period_days,
    period_start,
    period_end,
    measured_at,
    under_24h,
    over_24h,
    none_after_24h,
    share_under_24h,
    average_hours,
    amazon_under_24h,
    amazon_over_24h,
    amazon_none_after_24h,
    amazon_share_under_24h,
    amazon_average_hours,
    difference
from mart.contact_response_as_of('infinity');
comment on view mart.contact_response is 'Our response times beside the newest that Amazon told: '
'mart.contact_response_as_of.';

-- Days that have passed are made of the tickets that are there.
insert into ops.compliance_touched (account, ticket_key)
select distinct
    account,
    ticket_key
from mart.ticket
on conflict (account, ticket_key) do nothing;
