-- In: the temporary tables. Out: none of them, so that one transaction can write compliance twice.
drop table batch_ticket, batch_subject, batch_cycle, batch_period
