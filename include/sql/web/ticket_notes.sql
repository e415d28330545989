-- In: account, source ids of notes. Out: what they say. Personal data.
select
    source_id,
    body
from pii.ticket_event_text
where account = %(account)s and source_id = any(%(source_ids)s::text[])
