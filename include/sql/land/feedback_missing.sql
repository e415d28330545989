-- In: feedback that stands in the marketplaces of the batches; their reports, and those published before. Out:
-- core.feedback and core.feedback_change: it is removed as of the first report, newer than what is known of it, that
-- lacks it though its span holds the day. Two days at either end of a span count for nothing, because the calendar of
-- the marketplace is not the span's. A report with unreadable lines of unknown orders proves nothing.
with own as (
    select * from ops.batch
    where batch_id = any(%(batch_ids)s::bigint[])
),

places as (
    select
        report.account,
        report.marketplace,
        min((own.window_start at time zone 'UTC')::date) as first_day
    from own
    inner join raw.feedback_report as report
        on own.account = report.account and own.batch_id = report.batch_id
    group by report.account, report.marketplace
),

standing as (
    select f.* from core.feedback as f
    inner join places on f.account = places.account and f.marketplace = places.marketplace
    where f.removed_at is null and f.rated_on >= places.first_day
),

published as (
    select
        batch_id,
        (window_start at time zone 'UTC')::date + 2 as first_day,
        (window_end at time zone 'UTC')::date - 2 as last_day
    from ops.batch
    where dataset = 'feedback' and (published_at is not null or batch_id = any(%(batch_ids)s::bigint[]))
),

missing as (
    select distinct on (standing.account, standing.order_id)
        standing.account,
        standing.order_id,
        standing.rating,
        report.seen_at,
        report.batch_id
    from standing
    inner join raw.feedback_report as report
        on
            standing.account = report.account
            and standing.marketplace = report.marketplace
            and standing.known_at < report.seen_at
    inner join published on report.batch_id = published.batch_id
    where
        standing.rated_on between published.first_day and published.last_day
        and report.is_complete
        and standing.order_id <> all(report.spared_order_ids)
        and not exists (
            select 1 from raw.feedback_received as line
            where
                line.account = standing.account
                and line.batch_id = report.batch_id
                and line.order_id = standing.order_id
        )
    order by standing.account, standing.order_id, report.seen_at, report.batch_id
),

removed as (
    insert into core.feedback_change (account, order_id, seen_at, kind, rating, rating_before, batch_id)
    select
        account,
        order_id,
        seen_at,
        'removed' as kind,
        rating,
        rating as rating_before,
        batch_id
    from missing
    returning *
)

update core.feedback as gone
set
    removed_at = removed.seen_at,
    known_at = removed.seen_at
from removed
where gone.account = removed.account and gone.order_id = removed.order_id
