-- In: batch_ticket; mart.ticket, mart.ticket_status, mart.place, core.account_start. Out: temporary table
-- batch_subject: the tickets to count, with what their cycles are counted under.
create temporary table batch_subject on commit drop as
select
    ticket.account,
    ticket.ticket_id,
    ticket.ticket_key,
    ticket.marketplace,
    ticket.ticket_type,
    place.desk,
    place.team,
    starts.live_since,
    closed.from_at as closed_at
from batch_ticket
inner join mart.ticket as ticket
    on batch_ticket.account = ticket.account and batch_ticket.ticket_key = ticket.ticket_key
left join mart.place as place on ticket.account = place.account and ticket.marketplace = place.marketplace
left join core.account_start as starts on ticket.account = starts.account
left join mart.ticket_status as closed
    on ticket.account = closed.account and ticket.ticket_id = closed.ticket_id and closed.status = 'closed'
