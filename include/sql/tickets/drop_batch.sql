-- In: batch_ticket, batch_event, batch_transition. Out: none of them, so that one transaction can fold twice.
drop table batch_ticket, batch_event, batch_transition
