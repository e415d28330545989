-- In: privacy_due_order, those after one number until another. Out: their aliases (personal data), to be hashed.
select
    contact.account,
    contact.order_id,
    contact.buyer_alias
from privacy_due_order as due
inner join pii.order_contact as contact on due.account = contact.account and due.order_id = contact.order_id
where due.number > %(after)s and due.number <= %(until)s and contact.buyer_alias is not null
