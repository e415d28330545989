-- In: account, order_id. Out: who ordered and where it goes. Personal data.
select
    buyer_name,
    buyer_alias,
    recipient
from pii.order_contact
where account = %(account)s and order_id = %(order_id)s
