-- In: names of tables. Out: the statements that take away and make anew each of their indexes and primary keys; none of
-- tables that are not ours: only their owner may.
with owned as (
    select oid from pg_class
    where oid = any(%(tables)s::regclass[]) and pg_has_role(relowner, 'usage')
),

found as (
    select
        pg_index.indrelid,
        pg_index.indexrelid
    from owned
    inner join pg_index on owned.oid = pg_index.indrelid
),

indexes as (
    select
        found.indrelid::regclass::text as table_name,
        found.indexrelid::regclass::text as index_name,
        pg_get_indexdef(found.indexrelid) as definition,
        format('%%I', con.conname) as constraint_name,
        pg_get_constraintdef(con.oid) as constraint_definition
    from found
    left join pg_constraint as con on found.indexrelid = con.conindid and con.contype = 'p'
)

select
    case
        when constraint_definition is null then format('drop index %%s', index_name)
        else format('alter table %%s drop constraint %%s', table_name, constraint_name)
    end as drop_statement,
    case
        when constraint_definition is null then definition
        else format('alter table %%s add constraint %%s %%s', table_name, constraint_name, constraint_definition)
    end as create_statement
from indexes
order by index_name
