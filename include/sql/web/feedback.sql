-- In: accounts, marketplaces of the visitor (null: all), since. Out: feedback of 1 to 3 stars since then, newest first,
-- with what came before it; without words.
select
    account,
    order_id,
    marketplace,
    rating,
    rated_on,
    stands,
    removed_at,
    has_response,
    fulfilled_by,
    had_ticket_before,
    was_shipped_late,
    was_refunded_before
from mart.feedback
where
    account = any(%(accounts)s::text[])
    and rated_on >= %(since)s::date
    and (%(marketplaces)s::text[] is null or marketplace = any(%(marketplaces)s))
order by rated_on desc, account asc, order_id asc
limit 500
