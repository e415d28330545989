-- In: visitor, page. Out: the views of that page that the visitor keeps, by name.
select
    name,
    query
from ops.page_view
where visitor = %(visitor)s and page = %(page)s
order by name
