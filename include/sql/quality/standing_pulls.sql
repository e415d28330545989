-- In: as_of, since, dataset, places (account, marketplace, region: what is to be pulled), ops.pulled. Out: of each
-- source of the dataset that was ever pulled, one row: hours from the end of what was pulled to as_of (hours_behind),
-- hours after since that were left out between what was pulled (gap_hours), and why.
with places as (
    select place.*
    from jsonb_to_recordset(%(places)s::jsonb) as place (account text, marketplace text, region text)
),

scopes as (
    select distinct
        account,
        case when %(dataset)s::text = 'feedback' then marketplace else region end as scope
    from places
),

sources as (
    select
        *,
        tstzmultirange(tstzrange(null, %(as_of)s::timestamptz)) as until_then
    from ops.pulled
    where source = %(dataset)s::text or (source = 'order_report' and %(dataset)s::text = 'orders')
),

known as (
    select
        sources.account,
        sources.scope,
        range_agg(sources.spans * sources.until_then) as spans
    from sources
    inner join scopes on sources.account = scopes.account and sources.scope = scopes.scope
    group by sources.account, sources.scope
),

ends as (
    select
        *,
        upper(spans) as pulled_until,
        extract(epoch from %(as_of)s::timestamptz - upper(spans)) / 3600 as hours_behind,
        greatest(lower(spans), least(%(since)s::timestamptz, upper(spans))) as pulled_since
    from known
    where not isempty(spans)
),

gaps as (
    select
        ends.account,
        ends.scope,
        lower(gap.span) as gap_start,
        upper(gap.span) as gap_end
    from ends
    cross join
        lateral unnest(tstzmultirange(tstzrange(ends.pulled_since, ends.pulled_until)) - ends.spans) as gap (span)
),

first_gaps as (
    select
        account,
        scope,
        sum(extract(epoch from gap_end - gap_start)) / 3600 as gap_hours,
        min(gap_start) as gap_start,
        min(gap_end) as gap_end
    from gaps
    group by account, scope
),

parts as (
    select * from ops.batch
    where
        dataset in (%(dataset)s::text, case when %(dataset)s::text = 'orders' then 'order_report' end)
        and window_end > %(since)s::timestamptz
),

broken_off as (
    select
        first_gaps.account,
        first_gaps.scope,
        max(parts.batch_id) as batch_id
    from first_gaps
    inner join parts on first_gaps.account = parts.account and first_gaps.scope = parts.scope
    where parts.window_start < first_gaps.gap_end and parts.window_end > first_gaps.gap_start
    group by first_gaps.account, first_gaps.scope
)

select
    ends.account,
    ends.scope,
    ends.hours_behind,
    'pulled until ' || to_char(ends.pulled_until at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
        as hours_behind_because,
    coalesce(first_gaps.gap_hours, 0) as gap_hours,
    'from ' || to_char(first_gaps.gap_start at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' to '
    || to_char(first_gaps.gap_end at time zone 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC '
    || coalesce('a pull broke off after batch ' || broken_off.batch_id, 'no pull came to its end') as gap_hours_because
from ends
left join first_gaps on ends.account = first_gaps.account and ends.scope = first_gaps.scope
left join broken_off on ends.account = broken_off.account and ends.scope = broken_off.scope
