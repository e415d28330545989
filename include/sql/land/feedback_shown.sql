-- In: landed feedback of the batches without that in quarantine; time zones of the marketplaces. Out: temporary table
-- batch_feedback, one row an order: what the newest of the reports shows, unless something newer is known already.
create temporary table batch_feedback on commit drop as
with received as (
    select * from raw.feedback_received
    where batch_id = any(%(batch_ids)s::bigint[])
),

passed as (
    select received.* from received
    where
        not exists (
            select 1 from ops.quarantine as aside
            where
                aside.batch_id = received.batch_id
                and aside.dataset = 'feedback'
                and aside.row_key = 'line ' || received.line_number
        )
),

reports as (
    select
        account,
        batch_id,
        marketplace,
        seen_at,
        coalesce(%(zones)s::jsonb ->> marketplace, 'UTC') as zone
    from raw.feedback_report
    where batch_id = any(%(batch_ids)s::bigint[])
),

shown as (
    select
        passed.*,
        reports.marketplace,
        reports.seen_at,
        least((passed.rated_on + 1)::timestamp at time zone reports.zone, landed.window_end) as given_by
    from passed
    inner join reports on passed.account = reports.account and passed.batch_id = reports.batch_id
    inner join ops.batch as landed on passed.batch_id = landed.batch_id
),

newest as (
    select distinct on (account, order_id) * from shown
    order by account asc, order_id asc, seen_at desc, batch_id desc, rated_on desc, line_number desc
)

select
    newest.account,
    newest.order_id,
    newest.marketplace,
    newest.rating,
    newest.rated_on,
    newest.given_by,
    newest.has_response,
    newest.comments_key,
    newest.response_key,
    newest.seen_at,
    newest.batch_id,
    newest.line_number
from newest
left join core.feedback as known on newest.account = known.account and newest.order_id = known.order_id
where known.known_at > newest.seen_at is not true
