-- In: accounts and subjects (of one length), visitor, page, seen_at. Out: ops.personal_data_view: these views are on
-- record.
insert into ops.personal_data_view (account, subject, visitor, page, seen_at)
select
    seen.account,
    seen.subject,
    %(visitor)s::text as visitor,
    %(page)s::text as page,
    %(seen_at)s::timestamptz as seen_at
from unnest(%(accounts)s::text[], %(subjects)s::text[]) as seen (account, subject)
