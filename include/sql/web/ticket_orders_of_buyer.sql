-- In: account, order_id, buyer_ref of the ticket, as_of. Out: the buyer's other orders of 365 days before, newest
-- first: the same alias has ordered them or, where it was removed, one with the same keyed hash. No personal data.
with contact as (
    select
        account,
        buyer_alias,
        coalesce(buyer_ref, %(buyer_ref)s::text) as buyer_ref
    from pii.order_contact
    where account = %(account)s and order_id = %(order_id)s
),

others as (
    select * from core.amazon_order
    where
        account = %(account)s
        and order_id <> %(order_id)s
        and ordered_at > %(as_of)s::timestamptz - interval '365 days'
        and ordered_at <= %(as_of)s::timestamptz
)

select
    others.order_id,
    others.marketplace,
    others.status,
    others.ordered_at,
    others.total_amount,
    others.currency,
    feedback.rating,
    feedback.rated_on,
    feedback.removed_at as feedback_removed_at,
    asked.review_requested_at
from contact
inner join pii.order_contact as same
    on
        contact.account = same.account
        and (contact.buyer_alias = same.buyer_alias or contact.buyer_ref = same.buyer_ref)
inner join others on same.account = others.account and same.order_id = others.order_id
left join core.feedback as feedback on others.account = feedback.account and others.order_id = feedback.order_id
left join lateral (
    select max(requests.requested_at) as review_requested_at from core.review_request as requests
    where
        requests.account = others.account
        and requests.order_id = others.order_id
        and requests.requested_at <= %(as_of)s::timestamptz
) as asked on true
order by others.ordered_at desc
limit 50
