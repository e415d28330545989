-- In: a batch of feedback that brings some lines of a report once more. Out: what it lacks is not taken for removed.
update raw.feedback_report
set is_complete = false
where batch_id = %(batch_id)s::bigint
