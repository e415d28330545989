-- In: account, order_id (null: none), ticket_key, ids of mails. Out: what of it was removed, and when: kind and key as
-- in ops.removal.
select
    kind,
    key,
    min(removed_at) as removed_at
from ops.removal
where
    account = %(account)s
    and (
        (kind = 'order' and key = %(order_id)s::text)
        or (kind = 'ticket' and key = %(ticket_key)s)
        or (kind = 'mail' and key = any(%(mail_ids)s::text[]))
    )
group by kind, key
