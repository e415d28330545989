-- In: since; ops.batch. Out: what came in since then, by dataset: batches, rows, what is rejected or waits.
select
    dataset,
    count(*) as batches,
    coalesce(sum(row_count), 0) as landed,
    count(*) filter (where rejected_because is not null) as rejected,
    count(*) filter (where published_at is null and rejected_because is null) as waiting,
    max(landed_at) as last_landed_at
from ops.batch
where landed_at >= %(since)s::timestamptz
group by dataset
order by dataset
