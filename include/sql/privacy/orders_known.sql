-- In: account, order_ids. Out: how many of them the warehouse has.
select count(*) as orders from core.amazon_order
where account = %(account)s and order_id = any(%(order_ids)s::text[])
