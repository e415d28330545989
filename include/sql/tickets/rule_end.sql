-- In: account, rule_id, who ends it and when. Out: core.mail_rule_end has it, once, if there is
-- such a rule.
insert into core.mail_rule_end (account, rule_id, ended_by, ended_at)
select
    account,
    rule_id,
    %(ended_by)s::text as ended_by,
    %(ended_at)s::timestamptz as ended_at
from pii.mail_rule
where account = %(account)s and rule_id = %(rule_id)s
on conflict (account, rule_id) do nothing
