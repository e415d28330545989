-- In: memory. Out: each sort and hash of this transaction may use so much.
select set_config('work_mem', %(memory)s, true)
