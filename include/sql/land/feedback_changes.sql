-- In: batch_feedback, and core.feedback as it was before. Out: core.feedback_change: what is new.
insert into core.feedback_change (account, order_id, seen_at, kind, rating, rating_before, batch_id)
with compared as (
    select
        shown.*,
        case when known.removed_at is null then known.rating end as rating_before,
        case
            when known.order_id is null then 'appeared'
            when known.removed_at is not null then 'reappeared'
            when (shown.rating, shown.comments_key) <> (known.rating, known.comments_key) then 'edited'
        end as change,
        case when shown.has_response and shown.response_key <> known.response_key then 'answered' end
            as answer
    from batch_feedback as shown
    left join core.feedback as known
        on shown.account = known.account and shown.order_id = known.order_id
)

select
    compared.account,
    compared.order_id,
    compared.seen_at,
    news.kind,
    compared.rating,
    compared.rating_before,
    compared.batch_id
from compared
cross join lateral (values (compared.change), (compared.answer)) as news (kind)
where news.kind is not null
order by compared.account, compared.order_id, news.kind
on conflict (account, order_id, seen_at, kind) do nothing
