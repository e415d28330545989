-- In: the schemas of the warehouse, as their owner. Out: the roles support_reader, support_pages and support_writer,
-- and what each may, also on tables to come. Safe to repeat. They log in nowhere themselves: people's and programs'
-- own users are members of one of them.

do $$
declare
    wanted text;
begin
    foreach wanted in array array['support_reader', 'support_pages', 'support_writer'] loop
        if not exists (select 1 from pg_roles where rolname = wanted) then
            execute format('create role %I nologin', wanted);
        end if;
    end loop;
end
$$;

---------- answers, and the facts that some of them look up

grant usage on schema core, mart to support_reader;
grant select on all tables in schema core, mart to support_reader;
alter default privileges in schema core, mart grant select on tables to support_reader;

---------- the support pages

grant usage on schema raw, core, pii, mart, ops to support_pages;
grant select on all tables in schema raw, core, pii, mart, ops to support_pages;
grant insert, update, delete on all tables in schema core, mart, ops to support_pages;
-- Notes; mail that is linked anew when somebody has said what it is; rules that people make of that.
grant insert, delete on table pii.ticket_event_text, pii.mail to support_pages;
grant insert on table pii.mail_rule to support_pages;
grant select on table public.alembic_version to support_pages;
alter default privileges in schema raw, core, pii, mart, ops grant select on tables to support_pages;
alter default privileges in schema core, mart, ops grant insert, update, delete on tables to support_pages;

---------- the pipeline

grant usage on schema raw, core, pii, mart, ops to support_writer;
grant select, insert, update, delete, truncate on all tables in schema raw, core, pii, mart, ops to support_writer;
grant select on table public.alembic_version to support_writer;
grant execute on function mart.keep_worklist_months to support_writer;
alter default privileges in schema raw, core, pii, mart, ops
grant select, insert, update, delete, truncate on tables to support_writer;
-- Statistics and vacuum after bulk work (PostgreSQL 17; the linter does not know the word yet).
do $$
begin
    execute 'grant maintain on all tables in schema raw, core, pii, mart, ops to support_writer';
    execute 'alter default privileges in schema raw, core, pii, mart, ops grant maintain on tables to support_writer';
end
$$;
