-- In: run_ids, accounts, keys (side by side), files_removed_at. Out: ops.removal: the files of these mails are gone.
update ops.removal as removal
set files_removed_at = %(files_removed_at)s::timestamptz
from unnest(%(run_ids)s::bigint[], %(accounts)s::text[], %(keys)s::text[]) as done (run_id, account, key)
where
    removal.run_id = done.run_id
    and removal.account = done.account
    and removal.kind = 'mail'
    and removal.key = done.key
