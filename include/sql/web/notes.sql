-- In: accounts and ticket_ids (of one length). Out: notes that people wrote on those tickets, the newest first.
-- Personal data.
with named as (
    select
        given.account,
        given.ticket_id
    from unnest(%(accounts)s::text[], %(ticket_ids)s::text[]) as given (account, ticket_id)
)

select
    ticket.account,
    ticket.ticket_id,
    event.occurred_at,
    event.actor,
    words.body
from named
inner join mart.ticket as ticket on named.account = ticket.account and named.ticket_id = ticket.ticket_id
inner join core.ticket_event as event
    on ticket.account = event.account and ticket.ticket_key = event.ticket_key and event.kind = 'note'
inner join pii.ticket_event_text as words
    on event.account = words.account and event.source = words.source and event.source_id = words.source_id
order by event.occurred_at desc, event.event_id desc
