-- In: ids of batches of feedback. Out: one row a batch: its place in the order in which the reports of its account and
-- marketplace were made, from 1 on.
with reports as (
    select * from raw.feedback_report
    where batch_id = any(%(batch_ids)s::bigint[])
)

select
    batch_id,
    row_number() over (partition by account, marketplace order by seen_at, batch_id) as round
from reports
order by round, batch_id
