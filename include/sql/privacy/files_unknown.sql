-- In: names of files in the archive. Out: those that no landed mail has; is_removed: a mail had it that was removed.
select
    asked.name,
    bool_or(landed.mail_id is not null) as is_removed
from unnest(%(names)s::text[]) as asked (name)
left join pii.mail_received as landed on asked.name = landed.archived_as
group by asked.name
having count(landed.meaning) = 0
