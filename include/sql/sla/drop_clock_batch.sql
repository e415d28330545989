-- In: the temporary tables of the clocks' fold. Out: none of them, so that one transaction can fold twice.
drop table batch_subject, batch_rule, batch_period, batch_exchange, batch_measured, batch_cycle, batch_pause
