-- In: visitor, page, name. Out: ops.page_view without that view of the visitor.
delete from ops.page_view
where visitor = %(visitor)s and page = %(page)s and name = %(name)s
