-- In: account, source, source_id of an action. Out: why it has no effect, if it has none.
select reason from mart.ticket_refusal
where account = %(account)s and source = %(source)s and source_id = %(source_id)s
