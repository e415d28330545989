-- In: as_of. Out: mart.worklist_item without that hour's items, so that they can be written anew.
delete from mart.worklist_item
where as_of = %(as_of)s::timestamptz
