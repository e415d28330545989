-- In: milliseconds. Out: this transaction gives up a wait for a lock after them.
select set_config('lock_timeout', %(milliseconds)s::text, true)
