-- In: accounts, since, until (instants). Out: by dataset what the checks of that time said: rows checked, rows set
-- aside, rules that warned.
select
    dataset,
    max(row_count) as most_rows,
    sum(failed_count) filter (where severity = 'reject') as set_aside,
    count(distinct rule) filter (where state = 'warned') as warned_rules,
    count(distinct batch_id) filter (where state = 'rejected') as rejected_batches
from ops.check_result
where
    account = any(%(accounts)s::text[])
    and as_of >= %(since)s::timestamptz
    and as_of < %(until)s::timestamptz
group by dataset
having count(*) filter (where state in ('warned', 'rejected')) > 0
order by dataset
