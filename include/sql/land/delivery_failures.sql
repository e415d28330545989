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

placed as (
    select
        failures.account,
        failures.mail_id,
        failures.mail_kind,
        failures.sent_at,
        coalesce(thread.marketplace, known.marketplace, failures.marketplace) as marketplace,
        coalesce(thread.order_id, failures.order_id) as order_id,
        thread.case_id,
        coalesce(thread.buyer_ref, failures.buyer_ref) as buyer_ref,
        thread.reply,
        coalesce(
            thread.ticket_key,
            talk.ticket_key,
            coalesce(known.marketplace, failures.marketplace, '-') || ':order:' || failures.order_id
        ) as ticket_key
    from failures
    left join lateral (
        select
            event.*,
            case when event.kind = 'reply' then event.source_id end as reply
        from pii.mail as words
        inner join core.ticket_event as event
            on words.account = event.account and words.mail_id = event.source_id
        where
            words.account = failures.account
            and words.message_id = failures.in_reply_to
            and event.source = 'mail'
        order by event.event_id
        limit 1
    ) as thread on true
    left join lateral (
        select event.ticket_key from core.ticket_event as event
        where
            event.account = failures.account
            and event.order_id = failures.order_id
            and right(event.ticket_key, length(event.order_id) + 7) = ':order:' || event.order_id
        order by event.event_id
        limit 1
    ) as talk on true
    left join core.amazon_order as known
        on failures.account = known.account and failures.order_id = known.order_id
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
            'reply', coalesce(placed.reply, last_reply.source_id),
            'reason', case when placed.ticket_key is null then 'unknown_reply' end
        )
    ) as detail
from placed
left join lateral (
    select event.source_id from core.ticket_event as event
    where
        event.account = placed.account
        and event.ticket_key = placed.ticket_key
        and event.kind = 'reply'
        and event.occurred_at <= placed.sent_at
    order by event.occurred_at desc, event.source_order desc, event.event_id desc
    limit 1
) as last_reply on true
order by placed.account, placed.sent_at, placed.mail_id
on conflict (account, source, source_id) do nothing
