-- In: since; pii.outbox. Out: messages since then by kind and state.
select
    kind,
    count(*) filter (where sent_at is not null) as sent,
    count(*) filter (where sent_at is null and dead_at is null) as waiting,
    count(*) filter (where dead_at is not null) as given_up
from pii.outbox
where written_at >= %(since)s::timestamptz
group by kind
order by kind
