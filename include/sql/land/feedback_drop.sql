-- In: batch_feedback. Out: it is gone, so that one transaction can publish several rounds.
drop table batch_feedback
