-- In: mail that came first with the batches, ticket events. Out: core.ticket_event: where a buyer's message names both
-- order and case, and the case has a ticket of its own from before it named an order (or the other way round), the two
-- are one.
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
    detail
)
with new_mail as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[]) and kind = 'buyer_message' and case_id is not null
),

new_messages as (
    select
        event.account,
        event.source_id,
        event.ticket_key,
        event.marketplace,
        event.case_id,
        event.occurred_at,
        event.ticket_key like '%%:order:%%' as has_order
    from new_mail
    inner join core.ticket_event as event
        on new_mail.account = event.account and event.source = 'mail' and new_mail.mail_id = event.source_id
),

others as (
    select distinct on (new_messages.account, new_messages.source_id)
        new_messages.*,
        event.ticket_key as other_key
    from new_messages
    inner join core.ticket_event as event
        on new_messages.account = event.account and new_messages.case_id = event.case_id
    where
        event.source = 'mail'
        and event.kind = 'buyer_message'
        and event.ticket_key <> new_messages.ticket_key
        and new_messages.has_order <> (event.ticket_key like '%%:order:%%')
        and event.marketplace is not distinct from new_messages.marketplace
    order by new_messages.account, new_messages.source_id, event.occurred_at, event.event_id
)

select
    account,
    'mail' as source,
    'merge:' || source_id as source_id,
    ticket_key,
    marketplace,
    'merge' as kind,
    occurred_at,
    2 as source_order,
    'mail rules' as actor,
    jsonb_build_object('into', other_key, 'because', 'one case') as detail
from others
order by account, source_id
on conflict (account, source, source_id) do nothing
