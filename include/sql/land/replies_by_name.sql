-- In: copies of our replies that came first with the batches and have no ticket yet, the oldest of each
-- buyer's name; events so far. Out: core.ticket_event: the reply is on the one conversation of its buyer
-- that is unanswered at that instant and at most 7 days old (the buyer is told by alias where both have
-- one, else by name). When none or several fit, the mail becomes a notice for a person. Repeat until no
-- reply is left.
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
    is_automatic,
    detail
)
with new_mail as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[])
),

waiting as (
    select
        m.account,
        m.mail_id,
        m.marketplace,
        m.sent_at,
        m.buyer_ref,
        words.buyer_name_key,
        coalesce(r.meaning -> 'is_automatic' = 'true', false) as is_automatic
    from new_mail as m
    inner join pii.mail as words on m.account = words.account and m.mail_id = words.mail_id
    inner join pii.mail_received as r
        on m.account = r.account and m.mail_id = r.mail_id and m.batch_id = r.batch_id
    left join core.ticket_event as event
        on m.account = event.account and event.source = 'mail' and m.mail_id = event.source_id
    where m.kind = 'reply_copy' and event.source_id is null
),

replies as (
    select distinct on (account, coalesce(buyer_name_key, buyer_ref, mail_id)) *
    from waiting
    order by account, coalesce(buyer_name_key, buyer_ref, mail_id), sent_at, mail_id
),

named_alike as (
    select
        replies.account,
        replies.mail_id,
        words.mail_id as question_id
    from replies
    inner join pii.mail as words
        on replies.account = words.account and replies.buyer_name_key = words.buyer_name_key
    inner join core.mail as question
        on words.account = question.account and words.mail_id = question.mail_id
    where replies.buyer_ref is null or question.buyer_ref is null
),

same_alias as (
    select
        replies.account,
        replies.mail_id,
        question.mail_id as question_id
    from replies
    inner join core.mail as question
        on replies.account = question.account and replies.buyer_ref = question.buyer_ref
),

of_the_buyer as (
    select * from named_alike
    union all
    select * from same_alias
),

conversations as (
    select
        replies.account,
        replies.mail_id,
        replies.sent_at,
        asked.ticket_key,
        min(asked.marketplace) as marketplace,
        min(asked.order_id) as order_id,
        min(asked.case_id) as case_id,
        min(asked.buyer_ref) as buyer_ref,
        max(asked.occurred_at) as asked_at
    from replies
    inner join of_the_buyer
        on replies.account = of_the_buyer.account and replies.mail_id = of_the_buyer.mail_id
    inner join core.ticket_event as asked
        on
            of_the_buyer.account = asked.account
            and of_the_buyer.question_id = asked.source_id
            and asked.source = 'mail'
    where
        asked.kind = 'buyer_message'
        and not asked.is_automatic
        and asked.occurred_at between replies.sent_at - interval '7 days' and replies.sent_at
    group by replies.account, replies.mail_id, replies.sent_at, asked.ticket_key
),

unanswered as (
    select
        conversations.*,
        count(*) over (partition by conversations.account, conversations.mail_id) as fitting
    from conversations
    where
        not exists (
            select 1 from core.ticket_event as answer
            where
                answer.account = conversations.account
                and answer.ticket_key = conversations.ticket_key
                and answer.kind in ('reply', 'no_response_needed')
                and not answer.is_automatic
                and answer.occurred_at between conversations.asked_at and conversations.sent_at
        )
),

linked as (
    select
        replies.account,
        replies.mail_id,
        replies.sent_at,
        replies.is_automatic,
        coalesce(unanswered.marketplace, replies.marketplace) as marketplace,
        unanswered.ticket_key,
        unanswered.order_id,
        unanswered.case_id,
        coalesce(unanswered.buyer_ref, replies.buyer_ref) as buyer_ref,
        unanswered.ticket_key is not null as is_found
    from replies
    left join unanswered
        on
            replies.account = unanswered.account
            and replies.mail_id = unanswered.mail_id
            and unanswered.fitting = 1
)

select
    account,
    'mail' as source,
    mail_id as source_id,
    coalesce(ticket_key, '-:mail:' || left(mail_id, 16)) as ticket_key,
    marketplace,
    case when is_found then 'reply' else 'notice' end as kind,
    case when not is_found then 'unknown_mail' end as ticket_type,
    sent_at as occurred_at,
    case when is_found then 1 else 0 end as source_order,
    case when is_found then 'seller' else 'amazon' end as actor,
    order_id,
    case_id,
    buyer_ref,
    is_automatic,
    case
        when is_found then '{"mail_kind": "reply_copy", "match": "buyer"}'::jsonb
        else '{"mail_kind": "reply_copy", "reason": "ambiguous_reply"}'::jsonb
    end as detail
from linked
on conflict (account, source, source_id) do nothing
