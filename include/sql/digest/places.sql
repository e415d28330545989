-- In: teams. Out: the marketplaces that are theirs.
select distinct marketplace
from mart.place
where team = any(%(teams)s::text[])
order by marketplace
