-- In: landed mail of the batches. Out: one row a mail: what the rules look at, typed where it can be typed
-- and null where not. No personal data.
with received as (
    select * from pii.mail_received
    where batch_id = any(%(batch_ids)s::bigint[]) and meaning is not null
),

typed as (
    select
        batch_id,
        mail_id,
        received_at,
        meaning ->> 'kind' as kind,
        meaning ->> 'direction' as direction,
        ops.amount(meaning ->> 'confidence') as confidence,
        ops.instant(meaning ->> 'sent_at') as sent_at,
        case jsonb_typeof(meaning -> 'order_ids') when 'array' then meaning -> 'order_ids' else '[]' end
            as order_ids
    from received
)

select
    typed.batch_id,
    typed.mail_id as row_key,
    coalesce(typed.kind, '') as kind,
    coalesce(typed.direction, '') as direction,
    typed.confidence,
    typed.sent_at,
    extract(epoch from typed.sent_at - typed.received_at) / 3600 as hours_sent_after_received,
    extract(epoch from typed.received_at - typed.sent_at) / 86400 as days_under_way,
    (
        select count(*) from jsonb_array_elements_text(typed.order_ids) as named (order_id)
        where named.order_id !~ '^(\d{3}-\d{7}-\d{7}|[DS]01-.*)$'
    ) as misshapen_order_ids
from typed
