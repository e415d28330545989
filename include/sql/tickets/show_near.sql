-- In: part of a ticket's id, as LIKE has it. Out: ids of tickets that hold it, newest first.
select ticket_id from mart.ticket
where ticket_id like %(pattern)s
order by last_event_at desc
limit 5
