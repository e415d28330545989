-- In: nothing; pii.mail_rule. Out: the rules that people made for mail and that were not ended, the newest first.
-- A sender can be a person.
select
    rule.account,
    rule.rule_id,
    rule.sender,
    rule.phrase,
    rule.kind,
    rule.made_by,
    rule.made_at
from pii.mail_rule as rule
left join core.mail_rule_end as ended on rule.account = ended.account and rule.rule_id = ended.rule_id
where ended.rule_id is null
order by rule.rule_id desc
