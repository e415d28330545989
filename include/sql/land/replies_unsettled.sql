-- In: questions of buyers that came first with the batches; copies of our replies that were left to a person because
-- no question fitted, and on which nobody has acted, or that were linked by the buyer's name or alias before the
-- questions came. Out: those replies that may answer one of the questions have no ticket any more, and are linked
-- by the next steps.
with questions as (
    select * from core.mail
    where batch_id = any(%(batch_ids)s::bigint[]) and kind = 'buyer_message'
),

asked as (
    select
        questions.account,
        questions.buyer_ref,
        questions.sent_at,
        words.buyer_name_key,
        words.message_id
    from questions
    inner join pii.mail as words on questions.account = words.account and questions.mail_id = words.mail_id
    inner join core.ticket_event as event
        on questions.account = event.account and event.source = 'mail' and questions.mail_id = event.source_id
    where not event.is_automatic
),

left_to_a_person as (
    select
        event.account,
        event.source_id as mail_id,
        event.ticket_key,
        event.occurred_at,
        reply.buyer_ref,
        words.buyer_name_key,
        words.in_reply_to
    from core.ticket_event as event
    inner join core.mail as reply on event.account = reply.account and event.source_id = reply.mail_id
    inner join pii.mail as words on event.account = words.account and event.source_id = words.mail_id
    where event.source = 'mail' and event.detail ->> 'reason' = 'ambiguous_reply'
),

linked_by_buyer as (
    select
        event.account,
        event.source_id as mail_id,
        event.ticket_key
    from asked
    cross join
        lateral (
            select words.mail_id from pii.mail as words
            where words.account = asked.account and words.buyer_name_key = asked.buyer_name_key
            union
            select same_buyer.mail_id from core.mail as same_buyer
            where
                same_buyer.account = asked.account
                and same_buyer.buyer_ref = asked.buyer_ref
                and same_buyer.batch_id is not null  -- a reply without its words could not be linked again
        ) as alike
    inner join core.ticket_event as event
        on asked.account = event.account and event.source = 'mail' and alike.mail_id = event.source_id
    where
        event.detail ->> 'mail_kind' = 'reply_copy'
        and event.detail ->> 'match' = 'buyer'
        and event.occurred_at between asked.sent_at and asked.sent_at + interval '7 days'
),

unplaced as (
    select
        left_to_a_person.account,
        left_to_a_person.mail_id,
        left_to_a_person.ticket_key
    from left_to_a_person
    inner join asked
        on
            left_to_a_person.account = asked.account
            and (
                left_to_a_person.in_reply_to = asked.message_id
                or (
                    asked.sent_at between left_to_a_person.occurred_at - interval '7 days'
                    and left_to_a_person.occurred_at
                    and (
                        left_to_a_person.buyer_ref = asked.buyer_ref
                        or left_to_a_person.buyer_name_key = asked.buyer_name_key
                    )
                )
            )
    where
        not exists (
            select 1 from core.ticket_event as other
            where
                other.account = left_to_a_person.account
                and other.ticket_key = left_to_a_person.ticket_key
                and (other.source <> 'mail' or other.source_id <> left_to_a_person.mail_id)
        )
),

unsettled as (
    select * from unplaced
    union
    select * from linked_by_buyer
),

touched as (
    insert into ops.ticket_touched (account, ticket_key)
    select distinct
        account,
        ticket_key
    from unsettled
    on conflict (account, ticket_key) do nothing
),

forgotten as (
    delete from core.ticket_event as event
    using unsettled
    where event.account = unsettled.account and event.source = 'mail' and event.source_id = unsettled.mail_id
)

update core.mail as filed
set ticket_key = null
from unsettled
where filed.account = unsettled.account and filed.mail_id = unsettled.mail_id
