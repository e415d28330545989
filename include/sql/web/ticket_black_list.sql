-- In: account, buyer_ref. Out: whether the buyer is black-listed, there or everywhere.
select
    scope,
    actor,
    occurred_at
from mart.black_list
where buyer_ref = %(buyer_ref)s and (account = %(account)s or scope = 'everywhere')
order by occurred_at
