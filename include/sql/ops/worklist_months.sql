-- In: as_of, kept_from. Out: parts of mart.worklist_item for this month and the two after it are there, those that end
-- before kept_from are gone; returns how many were made and dropped.
select
    made,
    dropped
from mart.keep_worklist_months(%(as_of)s::timestamptz, %(kept_from)s::timestamptz)
