-- In: core.amazon_order. Out: how many orders of the account and region changed last in [since, before).
select count(*) from core.amazon_order
where
    account = %(account)s::text
    and region = %(region)s::text
    and last_updated_at >= %(since)s::timestamptz
    and last_updated_at < %(before)s::timestamptz
