-- In: landed rows of the batches without those in quarantine and those that need no ticket; events, mail; places
-- (countries, and - for none). Out: raw.desk_action says which ticket each row is about: the one that its ticket id
-- names, else the order's, else the case's, else the one of the buyer's last mail before. A row from before the
-- ticket's beginning is about something that nobody knows; if it is less than a minute, the desk rounds its times.
with received as (
    select * from raw.desk_action
    where batch_id = any(%(batch_ids)s::bigint[])
),

passed as (
    select received.* from received
    where
        received.kind <> 'review_request'
        and not exists (
            select 1 from ops.quarantine as aside
            where
                aside.batch_id = received.batch_id
                and aside.dataset = 'desk_action'
                and aside.row_key = 'line ' || received.line_number
        )
),

places as (
    select place.place from unnest(%(places)s::text[]) as place (place)
),

named as (
    select
        passed.*,
        coalesce(by_id.ticket_key, by_order.ticket_key, by_case.ticket_key, by_buyer.ticket_key) as found_key
    from passed
    left join lateral (
        select min(event.ticket_key) as ticket_key from core.ticket_event as event
        where event.account = passed.account and event.ticket_key = regexp_replace(passed.ticket_id, '#\d+$', '')
    ) as by_id on true
    left join lateral (
        select event.ticket_key from core.ticket_event as event
        where
            event.account = passed.account
            and event.order_id = passed.order_id
            and right(event.ticket_key, length(event.order_id) + 7) = ':order:' || event.order_id
        order by case when event.marketplace = passed.marketplace then 0 else 1 end, event.event_id
        limit 1
    ) as by_order on true
    left join lateral (
        select event.ticket_key from core.ticket_event as event
        where
            event.account = passed.account
            and event.ticket_key = any(array(select places.place || ':case:' || passed.case_id from places))
        order by case when event.marketplace = passed.marketplace then 0 else 1 end, event.event_id
        limit 1
    ) as by_case on true
    left join lateral (
        select mail.ticket_key from core.mail as mail
        where
            mail.account = passed.account
            and mail.buyer_ref = passed.buyer_ref
            and mail.ticket_key is not null
            and mail.sent_at <= passed.occurred_at + interval '1 minute'
        order by
            case when mail.marketplace = passed.marketplace then 0 else 1 end asc,
            mail.sent_at desc,
            mail.mail_id asc
        limit 1
    ) as by_buyer on true
),

begun as (
    select
        named.*,
        told.began_at
    from named
    left join lateral (
        select min(event.occurred_at) as began_at from core.ticket_event as event
        where
            event.account = named.account
            and event.ticket_key = named.found_key
            and event.source <> 'rules'
            and not starts_with(event.source, 'desk:')
    ) as told on true
),

judged as (
    select
        account,
        batch_id,
        line_number,
        found_key,
        greatest(occurred_at, began_at) as occurred_at,
        case
            when began_at is null then 'no such ticket is known'
            when occurred_at < began_at - interval '1 minute' then 'the ticket begins later'
        end as trouble
    from begun
)

update raw.desk_action as action
set
    ticket_key = case when judged.trouble is null then judged.found_key end,
    occurred_at = judged.occurred_at,
    trouble = judged.trouble
from judged
where
    action.account = judged.account
    and action.batch_id = judged.batch_id
    and action.line_number = judged.line_number
