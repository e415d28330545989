-- In: a rule for mail of an account and who made it. Out: pii.mail_rule has it, once by its identity; the id, if it is
-- new.
insert into pii.mail_rule (account, sender, phrase, kind, made_by, made_at, identity)
values (
    %(account)s,
    %(sender)s::text,
    %(phrase)s::text,
    %(kind)s,
    %(made_by)s,
    %(made_at)s,
    %(identity)s
)
on conflict (account, identity) do nothing
returning rule_id
