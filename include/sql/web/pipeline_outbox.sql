-- In: since; pii.outbox. Out: messages since then by kind and state.
select
    kind,
    count(*) filter (where state = 'sent') as sent,
    count(*) filter (where state = 'waiting') as waiting,
    count(*) filter (where state = 'dead') as given_up
from pii.outbox
where written_at >= %(since)s::timestamptz
group by kind
order by kind
