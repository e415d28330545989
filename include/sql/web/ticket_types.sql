-- In: nothing; core.ticket_type. Out: the types that an agent may give, and whether one of them cannot be changed then.
select
    ticket_type,
    is_fixed
from core.ticket_type
order by ticket_type
