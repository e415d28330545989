-- In: mail that came first with the batches and names its ticket itself; orders, order contacts, events
-- so far. Out: core.ticket_event. Ticket: the order named in the mail or, for a buyer who names none,
-- the only order of the alias in 60 days; else Amazon's case; else the buyer; else the mail itself.
-- A feedback notice is only a note where the feedback report was quicker. Replies that name no order,
-- delivery failures, and notes on tickets that may not exist are left to the steps after this one.
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
with kinds (mail_kind, kind, ticket_type, actor) as (
    values
    ('buyer_message', 'buyer_message', 'contact_buyer', 'buyer'),
    ('reply_copy', 'reply', null, 'seller'),
    ('return_request', 'notice', 'return_request', 'amazon'),
    ('cancellation_request', 'notice', 'cancellation', 'amazon'),
    ('a_to_z_opened', 'notice', 'a_to_z_claim', 'amazon'),
    ('chargeback', 'notice', 'chargeback', 'amazon'),
    ('feedback_notice', 'notice', null, 'amazon'),
    ('performance_notification', 'notice', 'performance_notification', 'amazon'),
    ('case_update', 'notice', 'case_update', 'amazon'),
    ('system_qa', 'notice', 'system_qa', 'amazon'),
    ('unknown', 'notice', 'unknown_mail', 'amazon')
),

ratings (rating, ticket_type) as (
    values ('1', 'negative_feedback'), ('2', 'negative_feedback'), ('3', 'neutral_feedback')
),

new_mail as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[])
),

mails as (
    select
        m.account,
        m.mail_id,
        m.kind as mail_kind,
        m.marketplace,
        m.sent_at,
        -- An order id in mail that nobody could read proves nothing.
        case when m.kind <> 'unknown' then m.order_ids[1] end as named_order_id,
        case when m.kind <> 'unknown' then m.case_id end as case_id,
        m.buyer_ref,
        lower(regexp_replace(r.meaning ->> 'buyer_alias', '\+[^@]*@', '@')) as buyer_alias,
        r.meaning -> 'is_automatic' = 'true' as is_automatic,
        r.meaning ->> 'rating' as rating
    from new_mail as m
    inner join pii.mail_received as r
        on m.account = r.account and m.mail_id = r.mail_id and m.batch_id = r.batch_id
    where m.kind <> 'reply_copy' or m.order_ids[1] is not null
),

matched as (
    select
        mails.*,
        coalesce(mails.named_order_id, recent.order_id) as order_id,
        case
            when mails.named_order_id is not null then 'explicit'
            when recent.order_id is not null then 'recent'
            else 'none'
        end as match
    from mails
    left join lateral (
        select min(contact.order_id) as order_id
        from pii.order_contact as contact
        inner join core.amazon_order as placed
            on contact.account = placed.account and contact.order_id = placed.order_id
        where
            mails.mail_kind = 'buyer_message'
            and mails.named_order_id is null
            and mails.buyer_ref is not null
            and contact.account = mails.account
            -- Of a contact that was removed the keyed hash is left.
            and (contact.buyer_alias = mails.buyer_alias or contact.buyer_ref = mails.buyer_ref)
            and placed.ordered_at between mails.sent_at - interval '60 days' and mails.sent_at
        having count(*) = 1
    ) as recent on true
),

placed as (
    select
        matched.*,
        talk.ticket_key as order_ticket_key,
        coalesce(known.marketplace, matched.marketplace) as site,
        coalesce(known.marketplace, matched.marketplace, '-') as place
    from matched
    left join core.amazon_order as known
        on matched.account = known.account and matched.order_id = known.order_id
    left join lateral (
        select event.ticket_key from core.ticket_event as event
        where
            event.account = matched.account
            and event.order_id = matched.order_id
            and right(event.ticket_key, length(event.order_id) + 7) = ':order:' || event.order_id
        order by event.event_id
        limit 1
    ) as talk on true
),

keyed as (
    select
        *,
        case
            when mail_kind = 'case_update' and case_id is not null then place || ':case:' || case_id
            when order_id is not null then coalesce(order_ticket_key, place || ':order:' || order_id)
            when case_id is not null then place || ':case:' || case_id
            when mail_kind = 'buyer_message' and buyer_ref is not null then place || ':buyer:' || buyer_ref
            else '-:mail:' || left(mail_id, 16)
        end as ticket_key
    from placed
)

select
    keyed.account,
    'mail' as source,
    keyed.mail_id as source_id,
    keyed.ticket_key,
    keyed.site as marketplace,
    case
        when
            keyed.mail_kind = 'feedback_notice'
            and exists (
                select 1 from core.ticket_event as event
                where
                    event.account = keyed.account
                    and event.order_id = keyed.order_id
                    and event.source = 'feedback'
                    and event.kind = 'notice'
                    and event.detail ->> 'rating' = keyed.rating
            ) then 'note'
        else kinds.kind
    end as kind,
    case
        when keyed.mail_kind = 'feedback_notice' then ratings.ticket_type
        when keyed.mail_kind = 'buyer_message' and keyed.order_id is null then 'product_question'
        else kinds.ticket_type
    end as ticket_type,
    keyed.sent_at as occurred_at,
    case kinds.kind when 'reply' then 1 else 0 end as source_order,
    kinds.actor,
    keyed.order_id,
    keyed.case_id,
    keyed.buyer_ref,
    coalesce(keyed.is_automatic, false) as is_automatic,
    jsonb_strip_nulls(
        jsonb_build_object('mail_kind', keyed.mail_kind, 'match', keyed.match, 'rating', keyed.rating)
    ) as detail
from keyed
inner join kinds on keyed.mail_kind = kinds.mail_kind
left join ratings on keyed.rating = ratings.rating
where keyed.mail_kind <> 'feedback_notice' or ratings.ticket_type is not null
order by keyed.account, keyed.sent_at, keyed.mail_id
on conflict (account, source, source_id) do nothing
