-- In: until, the first day (UTC) that has not ended. Out: ops.compliance_made says so.
insert into ops.compliance_made (made_until)
values (%(until)s::date)
on conflict (is_only) do update set made_until = excluded.made_until
