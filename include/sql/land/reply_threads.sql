-- In: copies of our replies that came first with the batches and name no order, and the mails they answer
-- (In-Reply-To). Out: core.ticket_event: the reply is on the ticket of the mail it answers.
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
    case_id,
    buyer_ref,
    is_automatic,
    detail
)
with new_mail as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[]) or (kind = 'reply_copy' and ticket_key is null)
),

replies as (
    select
        m.account,
        m.mail_id,
        m.sent_at,
        words.in_reply_to,
        r.meaning -> 'is_automatic' = 'true' as is_automatic
    from new_mail as m
    inner join pii.mail as words on m.account = words.account and m.mail_id = words.mail_id
    inner join pii.mail_received as r
        on m.account = r.account and m.mail_id = r.mail_id and m.batch_id = r.batch_id
    where m.kind = 'reply_copy' and m.order_ids[1] is null
)

select
    replies.account,
    'mail' as source,
    replies.mail_id as source_id,
    answered.ticket_key,
    answered.marketplace,
    'reply' as kind,
    replies.sent_at as occurred_at,
    1 as source_order,
    'seller' as actor,
    answered.order_id,
    answered.case_id,
    answered.buyer_ref,
    coalesce(replies.is_automatic, false) as is_automatic,
    '{"mail_kind": "reply_copy", "match": "thread"}'::jsonb as detail
from replies
inner join pii.mail as question
    on replies.account = question.account and replies.in_reply_to = question.message_id
inner join core.ticket_event as answered
    on
        question.account = answered.account
        and question.mail_id = answered.source_id
        and answered.source = 'mail'
order by replies.account, replies.sent_at, replies.mail_id
on conflict (account, source, source_id) do nothing
