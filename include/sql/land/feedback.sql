-- In: batch_feedback. Out: core.feedback: it stands as the report shows it.
insert into core.feedback as known (
    account,
    order_id,
    marketplace,
    rating,
    rated_on,
    given_by,
    first_seen_at,
    has_response,
    response_seen_at,
    known_at,
    comments_key,
    response_key,
    batch_id,
    line_number
)
select
    account,
    order_id,
    marketplace,
    rating,
    rated_on,
    given_by,
    seen_at as first_seen_at,
    has_response,
    case when has_response then seen_at end as response_seen_at,
    seen_at as known_at,
    comments_key,
    response_key,
    batch_id,
    line_number
from batch_feedback
order by account, order_id
on conflict (account, order_id) do update
    set
        marketplace = excluded.marketplace,
        rating = excluded.rating,
        rated_on = excluded.rated_on,
        given_by = case when excluded.rated_on = known.rated_on then known.given_by else excluded.given_by end,
        changed_at = case
            when (excluded.rating, excluded.comments_key) = (known.rating, known.comments_key)
                then known.changed_at
            else excluded.known_at
        end,
        removed_at = null,
        has_response = excluded.has_response,
        response_seen_at = case
            when excluded.response_key = known.response_key then known.response_seen_at
            else excluded.response_seen_at
        end,
        known_at = excluded.known_at,
        comments_key = excluded.comments_key,
        response_key = excluded.response_key,
        batch_id = excluded.batch_id,
        line_number = excluded.line_number
