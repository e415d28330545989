-- In: visitor, page, name, query, saved_at. Out: ops.page_view has that view of the visitor; one of that name is
-- replaced.
insert into ops.page_view (visitor, page, name, query, saved_at)
values (%(visitor)s, %(page)s, %(name)s, %(query)s, %(saved_at)s)
on conflict (visitor, page, name) do update
    set
        query = excluded.query,
        saved_at = excluded.saved_at
