-- In: account, order_id, region, marketplace. Out: core.amazon_order has a placeholder of an order that it does not
-- know: the next hourly run asks Amazon for it.
insert into core.amazon_order (account, order_id, region, marketplace, is_placeholder)
values (%(account)s, %(order_id)s, %(region)s, %(marketplace)s, true)
on conflict (account, order_id) do nothing
