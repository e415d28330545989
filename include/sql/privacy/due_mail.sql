-- In: as_of and spans; mail with its words; privacy_held, privacy_due_ticket. Out: temporary table privacy_due_mail,
-- numbered from 1: mail of due tickets; mail of no ticket whose order was delivered so long ago or, without one,
-- that is so old; mail that never became a fact (set aside, or of a rejected batch) and was landed so long ago.
create temporary table privacy_due_mail as
with rules as (
    select
        %(as_of)s::timestamptz as as_of,
        %(orders_kept)s::interval as orders_kept,
        %(delivery_within)s::interval as delivery_within,
        %(shipping_within)s::interval as shipping_within,
        %(messages_kept)s::interval as messages_kept
),

of_tickets as (
    select
        mail.account,
        mail.mail_id
    from core.mail as mail
    left join mart.ticket_merged as merged
        on mail.account = merged.account and mail.ticket_key = merged.ticket_key
    inner join privacy_due_ticket as due
        on mail.account = due.account and coalesce(merged.into_key, mail.ticket_key) = due.ticket_key
    where mail.batch_id is not null
),

filed as (
    select
        mail.account,
        mail.mail_id
    from core.mail as mail
    cross join rules
    left join core.amazon_order as placed
        on mail.account = placed.account and mail.order_ids[1] = placed.order_id
    where
        mail.batch_id is not null
        and mail.ticket_key is null
        and coalesce(
            core.delivered_at(placed, rules.delivery_within, rules.shipping_within) + rules.orders_kept,
            mail.received_at + rules.messages_kept
        ) <= rules.as_of
        and not exists (
            select 1 from privacy_held as held
            where held.account = mail.account and held.order_id = mail.order_ids[1]
        )
),

no_facts as (
    select
        received.account,
        received.mail_id
    from pii.mail_received as received
    inner join ops.batch as batch on received.batch_id = batch.batch_id
    cross join rules
    left join core.mail as mail on received.account = mail.account and received.mail_id = mail.mail_id
    where
        received.meaning is not null
        and mail.mail_id is null
        and batch.landed_at + rules.messages_kept <= rules.as_of
),

due as (
    select * from of_tickets
    union
    select * from filed
    union
    select * from no_facts
)

select
    row_number() over (order by account, mail_id) as number,
    account,
    mail_id
from due
