-- In: account, subject, visitor, page, seen_at. Out: ops.personal_data_view: this view is on record.
insert into ops.personal_data_view (account, subject, visitor, page, seen_at)
values (%(account)s, %(subject)s, %(visitor)s, %(page)s, %(seen_at)s)
