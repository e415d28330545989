-- In: attempts to fetch orders and how each ended; waits: from each attempt to the next. Out: ops.order_lookup, where
-- an order has no next attempt once the waits are used up.
insert into ops.order_lookup as known (account, order_id, attempts, last_at, next_at, outcome)
with attempted as (
    select
        order_id,
        outcome
    from unnest(%(order_ids)s::text[], %(outcomes)s::text[]) as attempt (order_id, outcome)
)

select
    %(account)s::text as account,
    order_id,
    1 as attempts,
    %(asked_at)s::timestamptz as last_at,
    %(asked_at)s::timestamptz + (%(waits)s::interval[])[1] as next_at,
    outcome
from attempted
order by order_id
on conflict (account, order_id) do update
    set
        attempts = known.attempts + 1,
        last_at = excluded.last_at,
        next_at = excluded.last_at + (%(waits)s::interval[])[known.attempts + 1],
        outcome = excluded.outcome
