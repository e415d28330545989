-- In: names of files in the archive. Out: those that no landed mail has.
select asked.name
from unnest(%(names)s::text[]) as asked (name)
left join pii.mail_received as landed on asked.name = landed.archived_as
where landed.mail_id is null
