-- In: kept_from. Out: of the worklists without a part of their month the oldest hour before then is gone; returns how
-- many items.
with oldest as (
    select min(as_of) as as_of from mart.worklist_item_rest
    where as_of < %(kept_from)s::timestamptz
),

gone as (
    delete from mart.worklist_item_rest as item
    using oldest
    where item.as_of = oldest.as_of
    returning 1
)

select count(*) as entries from gone
