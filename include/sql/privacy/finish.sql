-- In: run_id, finished_at. Out: the run in ops.removal_run is at its end.
update ops.removal_run set finished_at = %(finished_at)s::timestamptz
where run_id = %(run_id)s::bigint
