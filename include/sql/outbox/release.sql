-- In: at; ops.sending_hold. Out: no hold any more.
update ops.sending_hold
set lifted_at = %(at)s::timestamptz
where lifted_at is null
