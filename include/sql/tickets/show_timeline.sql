-- In: account, ticket_id, as_of, skip, at_most (null: all). Out: the ticket's activities until then, newest first,
-- without the first so many, at most so many, each with what it brought about.
with page as (
    select
        activity,
        row_number() over (order by at desc, rank desc, source_order desc, source desc, source_id desc) as place
    from mart.ticket_activity as activity
    where account = %(account)s and ticket_id = %(ticket_id)s and at <= %(as_of)s::timestamptz
    order by place asc
    limit %(at_most)s offset %(skip)s
)

select
    (page.activity).at as at,
    (page.activity).what as what,
    (page.activity).about as about,
    (page.activity).actor as actor,
    (page.activity).source as source,
    (page.activity).source_id as source_id,
    (page.activity).is_automatic as is_automatic,
    outcome.status_before,
    outcome.status,
    outcome.is_within_sla,
    outcome.refused
from page
left join lateral mart.outcome_of(page.activity) as outcome on true
order by page.place asc
