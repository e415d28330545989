-- In: batch_key, mart.ticket. Out: whether every ticket there is belongs to this fold.
select not exists (
    select 1
    from mart.ticket as ticket
    left join batch_key on ticket.account = batch_key.account and ticket.ticket_key = batch_key.ticket_key
    where batch_key.account is null
) as is_rebuild
