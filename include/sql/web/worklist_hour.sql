-- In: asked. Out: the instant of the newest worklist written until then; null if there is none.
select max(as_of) as as_of
from mart.worklist_item
where as_of <= %(asked)s::timestamptz
