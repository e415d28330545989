-- In: ops.removal_run, ops.batch. Out: when the newest removal by retention ended (null: none ever did), and since when
-- anything was landed.
select
    (
        select max(finished_at) from ops.removal_run
        where rule = 'retention'
    ) as finished_at,
    (select min(landed_at) from ops.batch) as first_landed_at
