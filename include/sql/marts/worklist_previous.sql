-- In: as_of; mart.worklist_item. Out: the newest hour before it that had anything to do (null: none).
select max(as_of) as as_of from mart.worklist_item
where as_of < %(as_of)s::timestamptz
