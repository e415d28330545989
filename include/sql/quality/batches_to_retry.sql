-- In: account, dataset, rule, batch_id (each null: any). Out: published batches with rows in quarantine that wait.
with asides as (
    select * from ops.quarantine
    where
        settled_at is null
        and (%(account)s::text is null or account = %(account)s::text)
        and (%(dataset)s::text is null or dataset = %(dataset)s::text)
        and (%(rule)s::text is null or rule = %(rule)s::text)
        and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
)

select distinct
    landed.batch_id,
    landed.dataset,
    landed.account,
    landed.scope,
    landed.window_start,
    landed.window_end,
    landed.heading
from ops.batch as landed
inner join asides on landed.batch_id = asides.batch_id
where landed.published_at is not null
order by landed.batch_id
