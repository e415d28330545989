-- In: landed rows of the batches without those in quarantine. Out: core.review_request; one that another row, file or
-- export told already is there. What came with it (buyers may be named) is gone: nothing waits for it.
with passed as (
    select received.* from raw.desk_action as received
    where
        received.batch_id = any(%(batch_ids)s::bigint[])
        and received.kind = 'review_request'
        and not exists (
            select 1 from ops.quarantine as aside
            where
                aside.batch_id = received.batch_id
                and aside.dataset = 'desk_action'
                and aside.row_key = 'line ' || received.line_number
        )
),

recorded as (
    insert into core.review_request (account, order_id, requested_at, desk, actor)
    select
        account,
        order_id,
        occurred_at as requested_at,
        desk,
        actor
    from passed
    order by account, order_id, occurred_at, desk, batch_id, line_number
    on conflict (account, order_id, requested_at, desk) do nothing
)

delete from pii.desk_action as received
using passed
where
    received.account = passed.account
    and received.batch_id = passed.batch_id
    and received.line_number = passed.line_number
