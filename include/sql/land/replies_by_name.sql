-- In: copies of our replies that came first with the batches and have no ticket yet, the oldest of each
-- buyer's name; events so far. Out: core.ticket_event: the reply is on the one conversation of its buyer
-- that is unanswered at that instant and at most 7 days old (the buyer is told by alias where both have
-- one, else by name). When none or several fit, the mail becomes a notice for a person, with the conversations it may
-- belong to: those that are unanswered, else all of that buyer's, the newest question first. Repeat until no reply is
-- left.
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
    where batch_id = any(%(batch_ids)s::bigint[]) or (kind = 'reply_copy' and ticket_key is null)
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

candidates as (
    select
        replies.*,
        question.mail_id as question_id
    from replies
    left join lateral (
        select words.mail_id from pii.mail as words
        where words.account = replies.account and words.buyer_name_key = replies.buyer_name_key
        union
        select alike.mail_id from core.mail as alike
        where alike.account = replies.account and alike.buyer_ref = replies.buyer_ref
    ) as question on true
),

conversations as (
    select
        candidates.account,
        candidates.mail_id,
        candidates.marketplace,
        candidates.sent_at,
        candidates.is_automatic,
        asked.ticket_key,
        min(asked.marketplace) as asked_in,
        min(asked.order_id) as order_id,
        min(asked.case_id) as case_id,
        coalesce(min(asked.buyer_ref), min(candidates.buyer_ref)) as buyer_ref,
        max(asked.occurred_at) as asked_at
    from candidates
    left join core.ticket_event as asked
        on
            candidates.account = asked.account
            and candidates.question_id = asked.source_id
            and asked.source = 'mail'
            and asked.kind = 'buyer_message'
            and not asked.is_automatic
            and (candidates.buyer_ref = asked.buyer_ref) is not false
            and asked.occurred_at between candidates.sent_at - interval '7 days' and candidates.sent_at
    group by
        candidates.account,
        candidates.mail_id,
        candidates.marketplace,
        candidates.sent_at,
        candidates.is_automatic,
        asked.ticket_key
),

judged as (
    select
        conversations.*,
        conversations.ticket_key is not null
        and not exists (
            select 1 from core.ticket_event as answer
            where
                answer.account = conversations.account
                and answer.ticket_key = conversations.ticket_key
                and answer.kind in ('reply', 'no_response_needed')
                and not answer.is_automatic
                and answer.occurred_at between conversations.asked_at and conversations.sent_at
        ) as is_unanswered
    from conversations
),

linked as (
    select
        account,
        mail_id,
        sent_at,
        is_automatic,
        count(*) filter (where is_unanswered) = 1 as is_found,
        min(ticket_key) filter (where is_unanswered) as ticket_key,
        to_jsonb(
            (
                coalesce(
                    array_agg(ticket_key order by asked_at desc, ticket_key asc) filter (where is_unanswered),
                    array_agg(ticket_key order by asked_at desc, ticket_key asc) filter (where ticket_key is not null)
                )
            )[:5]
        ) as candidates,
        coalesce(min(asked_in) filter (where is_unanswered), marketplace) as marketplace,
        min(order_id) filter (where is_unanswered) as order_id,
        min(case_id) filter (where is_unanswered) as case_id,
        min(buyer_ref) filter (where is_unanswered) as buyer_ref
    from judged
    group by account, mail_id, marketplace, sent_at, is_automatic
)

select
    account,
    'mail' as source,
    mail_id as source_id,
    case when is_found then ticket_key else '-:mail:' || left(mail_id, 16) end as ticket_key,
    marketplace,
    case when is_found then 'reply' else 'notice' end as kind,
    case when not is_found then 'unknown_mail' end as ticket_type,
    sent_at as occurred_at,
    case when is_found then 1 else 0 end as source_order,
    case when is_found then 'seller' else 'amazon' end as actor,
    case when is_found then order_id end as order_id,
    case when is_found then case_id end as case_id,
    case when is_found then buyer_ref end as buyer_ref,
    is_automatic,
    case
        when is_found then '{"mail_kind": "reply_copy", "match": "buyer"}'::jsonb
        else jsonb_strip_nulls(
            jsonb_build_object(
                'mail_kind', 'reply_copy', 'reason', 'ambiguous_reply', 'candidates', candidates
            )
        )
    end as detail
from linked
on conflict (account, source, source_id) do nothing
