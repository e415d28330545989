-- In: refund notices and A-to-z decisions that came first with the batches; events so far. Out:
-- core.ticket_event: a note on the order's ticket, where there is one; otherwise the mail is only filed.
insert into core.ticket_event (
    account,
    source,
    source_id,
    ticket_key,
    marketplace,
    kind,
    occurred_at,
    source_order,
    actor,
    order_id,
    detail
)
with notes as (
    select
        account,
        mail_id,
        kind as mail_kind,
        sent_at,
        order_ids[1] as order_id
    from core.mail
    where batch_id = any(%(batch_ids)s::bigint[]) and kind in ('refund_notice', 'a_to_z_decided')
),

order_tickets as (
    select distinct on (event.account, event.order_id)
        event.account,
        event.order_id,
        event.ticket_key,
        event.marketplace
    from core.ticket_event as event
    inner join notes on event.account = notes.account and event.order_id = notes.order_id
    where right(event.ticket_key, length(event.order_id) + 7) = ':order:' || event.order_id
    order by event.account, event.order_id, event.event_id
)

select
    notes.account,
    'mail' as source,
    notes.mail_id as source_id,
    order_tickets.ticket_key,
    order_tickets.marketplace,
    'note' as kind,
    notes.sent_at as occurred_at,
    3 as source_order,
    'amazon' as actor,
    notes.order_id,
    jsonb_build_object('mail_kind', notes.mail_kind, 'match', 'explicit') as detail
from notes
inner join order_tickets on notes.account = order_tickets.account and notes.order_id = order_tickets.order_id
order by notes.account, notes.sent_at, notes.mail_id
on conflict (account, source, source_id) do nothing
