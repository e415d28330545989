-- In: as_of and spans; tickets with words of people in mail, notes or desks' actions; privacy_held. Out: temporary
-- table privacy_due_ticket, numbered from 1. Due: not held, and its orders delivered so long ago or, without an
-- order of which something is known, the last message so old.
create temporary table privacy_due_ticket as
with rules as (
    select
        %(as_of)s::timestamptz as as_of,
        %(orders_kept)s::interval as orders_kept,
        %(delivery_within)s::interval as delivery_within,
        %(shipping_within)s::interval as shipping_within,
        %(messages_kept)s::interval as messages_kept
),

worded as (
    select
        account,
        ticket_key
    from core.mail
    where batch_id is not null and ticket_key is not null
    union
    select
        event.account,
        event.ticket_key
    from pii.ticket_event_text as words
    inner join core.ticket_event as event
        on words.account = event.account and words.source = event.source and words.source_id = event.source_id
    union
    select
        action.account,
        action.ticket_key
    from pii.desk_action as received
    inner join raw.desk_action as action
        on
            received.account = action.account
            and received.batch_id = action.batch_id
            and received.line_number = action.line_number
    where action.ticket_key is not null
),

named as (
    select distinct
        worded.account,
        coalesce(merged.into_key, worded.ticket_key) as ticket_key
    from worded
    left join mart.ticket_merged as merged
        on worded.account = merged.account and worded.ticket_key = merged.ticket_key
),

aged as (
    select
        named.account,
        named.ticket_key,
        coalesce(
            (
                select max(core.delivered_at(placed, rules.delivery_within, rules.shipping_within))
                from mart.ticket as ticket
                inner join core.amazon_order as placed
                    on ticket.account = placed.account and ticket.order_id = placed.order_id
                where ticket.account = named.account and ticket.ticket_key = named.ticket_key
            ) + rules.orders_kept,
            (
                select
                    coalesce(
                        max(event.occurred_at) filter (
                            where event.kind in ('buyer_message', 'reply', 'notice', 'delivery_failure', 'note')
                        ),
                        max(event.occurred_at)
                    )
                from mart.ticket_event as event
                where event.account = named.account and event.ticket_key = named.ticket_key
            ) + rules.messages_kept
        ) as due_at
    from named
    cross join rules
)

select
    row_number() over (order by aged.account, aged.ticket_key) as number,
    aged.account,
    aged.ticket_key
from aged
cross join rules
where
    aged.due_at <= rules.as_of
    and not exists (
        select 1 from privacy_held as held
        where held.account = aged.account and held.ticket_key = aged.ticket_key
    )
