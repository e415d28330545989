-- In: made_until (days so far in mart.compliance, null: none), until (the first day that has not ended); batch_cycle
-- and mart.compliance_cycle, as it was. Out: temporary table batch_period: the days, and the months with them, in
-- which some account's figures may be others than before.
create temporary table batch_period on commit drop as
with recursive asked as (
    select
        %(made_until)s::date as made_until,
        %(until)s::date as until
),

was as (
    select cycle.*
    from batch_ticket
    inner join mart.compliance_cycle as cycle
        on batch_ticket.account = cycle.account and batch_ticket.ticket_key = cycle.ticket_key
),

-- Row beside row: what a cycle was and is.
compared as (
    select
        coalesce(was.account, batch_cycle.account) as account,
        was.ended_at as was_ended_at,
        was.breached_at as was_breached_at,
        was.started_at as was_started_at,
        was.waiting_until as was_waiting_until,
        batch_cycle.ended_at,
        batch_cycle.breached_at,
        batch_cycle.started_at,
        batch_cycle.waiting_until,
        jsonb_build_array(
            was.started_at, was.marketplace, was.desk, was.team, was.ticket_type, was.rests::text
        ) = jsonb_build_array(
            batch_cycle.started_at,
            batch_cycle.marketplace,
            batch_cycle.desk,
            batch_cycle.team,
            batch_cycle.ticket_type,
            batch_cycle.rests::text
        ) as waits_alike
    from was
    full join batch_cycle
        on
            was.account = batch_cycle.account
            and was.ticket_id = batch_cycle.ticket_id
            and was.metric = batch_cycle.metric
            and was.cycle = batch_cycle.cycle
    where was is distinct from batch_cycle
),

moments as (
    select
        compared.account,
        moment.at as from_at,
        moment.at as until_at
    from compared
    cross join lateral (
        values
        (compared.was_ended_at), (compared.ended_at), (compared.was_breached_at), (compared.breached_at)
    ) as moment (at)
),

-- A cycle is in the backlog of every midnight from its start up to its end.
waits as (
    select
        account,
        least(was_waiting_until, waiting_until) as from_at,
        greatest(was_waiting_until, waiting_until) as until_at
    from compared
    where waits_alike
    union all
    select
        account,
        was_started_at as from_at,
        was_waiting_until as until_at
    from compared
    where not waits_alike
    union all
    select
        account,
        started_at as from_at,
        waiting_until as until_at
    from compared
    where not waits_alike
),

spans as (
    select distinct
        account,
        (from_at at time zone 'UTC')::date as first_day,
        (until_at at time zone 'UTC')::date as last_day
    from moments
    where from_at < 'infinity'
    union
    select
        account,
        (from_at at time zone 'UTC')::date as first_day,
        (until_at at time zone 'UTC')::date - 1 as last_day
    from waits
    where from_at < 'infinity' and (from_at at time zone 'UTC')::date < (until_at at time zone 'UTC')::date
),

-- Steps from one account to the next, because looking at all cycles takes long.
accounts as (
    (
        select account from mart.compliance_cycle
        order by account
        limit 1
    )
    union all
    select following.account
    from accounts
    cross join lateral (
        select cycle.account from mart.compliance_cycle as cycle
        where cycle.account > accounts.account
        order by cycle.account
        limit 1
    ) as following
),

days as (
    select
        spans.account,
        day.day::date as day
    from spans
    cross join asked
    cross join
        lateral generate_series(
            spans.first_day::timestamp, least(spans.last_day, asked.until - 1)::timestamp, '1 day'
        ) as day (day)
    union
    select
        accounts.account,
        day.day::date as day
    from accounts
    cross join asked
    cross join
        lateral generate_series(asked.made_until::timestamp, (asked.until - 1)::timestamp, '1 day') as day (day)
),

periods as (
    select
        account,
        'day' as period,
        day as starts_on,
        day + 1 as ends_before
    from days
    union
    select
        days.account,
        'month' as period,
        date_trunc('month', days.day::timestamp)::date as starts_on,
        least((date_trunc('month', days.day::timestamp) + interval '1 month')::date, asked.until) as ends_before
    from days
    cross join asked
)

select
    *,
    starts_on::timestamp at time zone 'UTC' as start_at,
    ends_before::timestamp at time zone 'UTC' as end_at
from periods
