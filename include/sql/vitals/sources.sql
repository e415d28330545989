-- In: as_of, sources (account, source, scope: what is to be read); ops.pulled. Out: of each of them that was ever read,
-- how far it was read as of then (read_until), whether it had anything to tell or not. Orders count as read whichever
-- way they came.
with wanted as (
    select given.*
    from jsonb_to_recordset(%(sources)s::jsonb) as given (account text, source text, scope text)
),

known as (
    select
        account,
        case source when 'order_report' then 'orders' else source end as source,
        scope,
        upper(range_agg(spans * tstzmultirange(tstzrange(null, %(as_of)s::timestamptz, '[]')))) as read_until
    from ops.pulled
    group by 1, 2, 3
)

select
    wanted.account,
    wanted.source,
    wanted.scope,
    known.read_until
from wanted
inner join known
    on wanted.account = known.account and wanted.source = known.source and wanted.scope = known.scope
where known.read_until is not null
order by wanted.account, wanted.source, wanted.scope
