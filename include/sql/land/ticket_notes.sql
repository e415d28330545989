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
)

select
    notes.account,
    'mail' as source,
    notes.mail_id as source_id,
    talk.ticket_key,
    talk.marketplace,
    'note' as kind,
    notes.sent_at as occurred_at,
    3 as source_order,
    'amazon' as actor,
    notes.order_id,
    jsonb_build_object('mail_kind', notes.mail_kind, 'match', 'explicit') as detail
from notes
inner join lateral (
    select
        event.ticket_key,
        event.marketplace
    from core.ticket_event as event
    where
        event.account = notes.account
        and event.order_id = notes.order_id
        and right(event.ticket_key, length(event.order_id) + 7) = ':order:' || event.order_id
    order by event.event_id
    limit 1
) as talk on true
order by notes.account, notes.sent_at, notes.mail_id
on conflict (account, source, source_id) do nothing
