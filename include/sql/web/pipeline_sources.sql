-- In: nothing; ops.watermark. Out: how far each source has been read, the one that was read longest ago first.
select
    account,
    source,
    scope,
    moved_at
from ops.watermark
order by moved_at
