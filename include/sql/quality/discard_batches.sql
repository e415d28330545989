-- In: account, dataset, batch_id (each null: any), when. Out: rejected batches that waited are given up; their ids.
update ops.batch
set discarded_at = %(settled_at)s::timestamptz
where
    rejected_because is not null
    and discarded_at is null
    and (%(account)s::text is null or account = %(account)s::text)
    and (%(dataset)s::text is null or dataset = %(dataset)s::text)
    and (%(batch_id)s::bigint is null or batch_id = %(batch_id)s::bigint)
returning batch_id
