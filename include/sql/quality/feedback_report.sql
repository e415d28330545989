-- In: a batch of feedback. Out: its report.
select
    marketplace,
    seen_at
from raw.feedback_report
where batch_id = %(batch_id)s::bigint
