-- In: the temporary tables of what is due. Out: how many orders, tickets and mails.
select
    (select count(*) from privacy_due_order) as orders,
    (select count(*) from privacy_due_ticket) as tickets,
    (select count(*) from privacy_due_mail) as mails
