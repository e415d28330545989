-- In: delivery failures and opt-outs that came first with the batches; mails they answer (In-Reply-To);
-- events. Out: core.ticket_event on the ticket of that mail, else on the order's; detail.reply names the
-- reply that did not arrive: the mail answered, else the last reply on the ticket before it. What fits
-- nothing is a notice.
insert into core.ticket_event (
    account,
    source,
    source_id,
    ticket_key,
    marketplace,
    kind,
    ticket_type,
    occurred_at,
    source_order,
    actor,
    order_id,
    case_id,
    buyer_ref,
    detail
)
with new_mail as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[])
),

failures as (
    select
        m.account,
        m.mail_id,
        m.kind as mail_kind,
        m.marketplace,
        m.sent_at,
        m.order_ids[1] as order_id,
        m.buyer_ref,
        words.in_reply_to
    from new_mail as m
    inner join pii.mail as words on m.account = words.account and m.mail_id = words.mail_id
    where m.kind in ('delivery_failure', 'buyer_opted_out')
),

threads as (
    select distinct on (failures.account, failures.mail_id)
        failures.account,
        failures.mail_id,
        event.ticket_key,
        event.marketplace,
        event.order_id,
        event.case_id,
        event.buyer_ref,
        case when event.kind = 'reply' then event.source_id end as reply
    from failures
    inner join pii.mail as words
        on failures.account = words.account and failures.in_reply_to = words.message_id
    inner join core.ticket_event as event
        on words.account = event.account and event.source = 'mail' and words.mail_id = event.source_id
    order by failures.account, failures.mail_id, event.event_id
),

order_tickets as (
    select distinct on (event.account, event.order_id)
        event.account,
        event.order_id,
        event.ticket_key
    from core.ticket_event as event
    inner join failures on event.account = failures.account and event.order_id = failures.order_id
    where right(event.ticket_key, length(event.order_id) + 7) = ':order:' || event.order_id
    order by event.account, event.order_id, event.event_id
),

placed as (
    select
        failures.account,
        failures.mail_id,
        failures.mail_kind,
        failures.sent_at,
        coalesce(threads.marketplace, known.marketplace, failures.marketplace) as marketplace,
        coalesce(threads.order_id, failures.order_id) as order_id,
        threads.case_id,
        coalesce(threads.buyer_ref, failures.buyer_ref) as buyer_ref,
        threads.reply,
        coalesce(
            threads.ticket_key,
            order_tickets.ticket_key,
            coalesce(known.marketplace, failures.marketplace, '-') || ':order:' || failures.order_id
        ) as ticket_key
    from failures
    left join threads
        on failures.account = threads.account and failures.mail_id = threads.mail_id
    left join order_tickets
        on failures.account = order_tickets.account and failures.order_id = order_tickets.order_id
    left join core.amazon_order as known
        on failures.account = known.account and failures.order_id = known.order_id
),

last_replies as (
    select distinct on (placed.account, placed.mail_id)
        placed.account,
        placed.mail_id,
        event.source_id as reply
    from placed
    inner join core.ticket_event as event
        on placed.account = event.account and placed.ticket_key = event.ticket_key
    where event.kind = 'reply' and event.occurred_at <= placed.sent_at
    order by
        placed.account asc,
        placed.mail_id asc,
        event.occurred_at desc,
        event.source_order desc,
        event.event_id desc
)

select
    placed.account,
    'mail' as source,
    placed.mail_id as source_id,
    coalesce(placed.ticket_key, '-:mail:' || left(placed.mail_id, 16)) as ticket_key,
    placed.marketplace,
    case when placed.ticket_key is null then 'notice' else 'delivery_failure' end as kind,
    case when placed.ticket_key is null then 'unknown_mail' else 'delivery_failure' end as ticket_type,
    placed.sent_at as occurred_at,
    2 as source_order,
    'amazon' as actor,
    placed.order_id,
    placed.case_id,
    placed.buyer_ref,
    jsonb_strip_nulls(
        jsonb_build_object(
            'mail_kind', placed.mail_kind,
            'reply', coalesce(placed.reply, last_replies.reply),
            'reason', case when placed.ticket_key is null then 'unknown_reply' end
        )
    ) as detail
from placed
left join last_replies
    on placed.account = last_replies.account and placed.mail_id = last_replies.mail_id
order by placed.account, placed.sent_at, placed.mail_id
on conflict (account, source, source_id) do nothing
