-- In: as_of, told (account, topic, subject, cycle, recipient). Out: ops.alert; returned are those that the person has
-- not been told.
insert into ops.alert (
    account,
    topic,
    subject,
    cycle,
    level,
    recipient,
    raised_at
)
select distinct
    told.account,
    told.topic,
    told.subject,
    told.cycle,
    'trouble' as level,
    told.recipient,
    %(as_of)s::timestamptz as raised_at
from
    jsonb_to_recordset(%(told)s::jsonb)
        as told (
            account text,
            topic text,
            subject text,
            cycle integer,
            recipient text
        )
-- Two runs at once must not wait for each other crosswise.
order by told.recipient, told.account, told.topic, told.subject, told.cycle
on conflict (account, topic, subject, cycle, level, recipient) do nothing
returning account, topic, subject, cycle, recipient
