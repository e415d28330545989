-- In: account, ticket_id, as_of, skip, at_most (null: all). Out: the ticket's activities until then, newest first,
-- without the first so many, at most so many.
select
    at,
    what,
    about,
    actor,
    source,
    source_id,
    is_automatic,
    status_before,
    status,
    is_within_sla,
    refused
from mart.ticket_timeline
where account = %(account)s and ticket_id = %(ticket_id)s and at <= %(as_of)s::timestamptz
order by at desc, rank desc, source_order desc, source desc, source_id desc
limit %(at_most)s offset %(skip)s
