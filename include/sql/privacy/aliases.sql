-- In: privacy_due_order, those after one number until another. Out: their aliases (personal data), to be hashed.
with due as (
    select
        account,
        order_id
    from privacy_due_order
    where number > %(after)s and number <= %(until)s
)

select
    contact.account,
    contact.order_id,
    contact.buyer_alias
from due
inner join pii.order_contact as contact on due.account = contact.account and due.order_id = contact.order_id
where contact.buyer_alias is not null
