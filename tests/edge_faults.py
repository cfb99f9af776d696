"""What could be wrong with the program when facts change, done to it on purpose, each with the ledgers that show it.

Some put another condition into a statement, and protest when it is not there any more.
"""

from odoo.tools import SQL

#: By each fault the ledger that shows it.
SHOWN_BY = {
    'history_follows_the_item': 'given_to_another',
    'a_later_due_date_is_not_seen': 'sent_late_after_all',
    'a_bounce_is_ignored': 'came_back',
    'an_address_that_bounced_is_used_again': 'came_back',
    'who_left_is_written_to': 'person_left',
    'an_archived_person_is_written_to': 'two_people_of_one_debtor',
    'the_address_is_not_asked_again': 'person_archived_after_planning',
    'another_debtor_is_not_seen_before_it_leaves': 'given_to_another_after_planning',
    'the_ladder_of_now_is_not_asked': 'calmer_ladder_after_planning',
    'nothing_is_asked_before_it_leaves': 'paid_after_planning',
    'the_ladder_of_a_debtor_is_ignored': 'stricter_ladder',
    'the_ladder_of_an_invoice_is_ignored': 'ladder_of_an_invoice',
    'archived_rungs_go_on': 'rung_archived',
    'no_follow_up_is_ignored': 'not_followed_in_the_mail_queue',
    'it_counts_when_it_is_queued': 'slow',
    'the_mail_queue_does_not_look_again': 'paid_in_the_mail_queue',
    'a_term_that_ran_in_the_queue_is_given': 'slow',
    'refused_counts_as_accepted': 'refused_and_tried_again',
    'what_was_refused_blocks_nothing': 'refused_until_somebody_tries_again',
    'the_term_runs_from_the_queue': 'accepted_days_later',
    'sent_late_changes_nothing': 'sent_late',
    'what_was_not_sent_is_reminded': 'sent_late',
    'two_messages_a_day': 'one_message_a_day',
    'the_term_of_the_last_notice_is_not_waited_for': 'plain',
}


class Faults:
    """Breaks the program: one method for each fault.

    :param env: knows the models
    :param patch: ``patch(class, name, new)``, until the end of a test
    """

    def __init__(self, env, patch):
        self.env, self.patch = env, patch

    def replace(self, model, method, make):
        """Put ``make(original)`` in the place of a method."""
        owner = self.env.registry[model]
        self.patch(owner, method, make(getattr(owner, method)))

    def always(self, model, method, value):
        self.replace(model, method, lambda original: lambda records, *args, **kwargs: value)

    def swap(self, model, method, old, new):
        def make(original):
            def swapped(records, *args, **kwargs):
                sql = original(records, *args, **kwargs)
                assert old in sql.code, f"{method} does not say {old} any more"
                return SQL(new.join(sql.code.split(old)), *sql.params, to_flush=sql.to_flush)
            return swapped
        self.replace(model, method, make)

    def forget_reason(self, code):
        for method in ('_item_reasons', '_notice_reasons'):
            self.replace('dunning.planner', method, lambda original: lambda planner: [
                other for other in original(planner) if other != code])

    # --- who was told what ---

    def history_follows_the_item(self):
        self.swap('dunning.notice.line', '_get_why_outdated_sql', "'other_debtor'", "NULL")

    def a_later_due_date_is_not_seen(self):
        self.swap('dunning.notice.line', '_get_why_outdated_sql', "'due_date_later'", "NULL")

    def a_bounce_is_ignored(self):
        self.always('dunning.notice', '_record_bounced', None)

    def an_address_that_bounced_is_used_again(self):
        self.replace('dunning.notice', '_record_bounced', lambda original: lambda notices, reason, **words: original(
            notices, reason, mark_address=False))

    # --- whom it goes to ---

    def who_left_is_written_to(self):
        self.swap('dunning.planner', '_get_item_sql', "AND person.commercial_partner_id = debtor.id", "")
        self.replace('res.partner', '_is_dunning_person_of', lambda original: lambda person, debtor: True)

    def an_archived_person_is_written_to(self):
        self.swap('dunning.planner', '_get_item_sql', "AND person.active", "")
        self.replace('res.partner', '_is_dunning_person_of', lambda original: lambda person, debtor: True)

    def the_address_is_not_asked_again(self):
        self.always('dunning.notice', '_readdress', None)
        self.replace('dunning.notice', '_get_people', lambda original: lambda notice: (
            notice.recipient_id, notice.partner_id))

    def another_debtor_is_not_seen_before_it_leaves(self):
        self.replace('dunning.dispatcher', '_recheck_one', lambda original: lambda dispatcher, notice, decisions: (
            True if any(decision.partner_id != notice.partner_id.id for decision in decisions.values())
            else original(dispatcher, notice, decisions)))

    # --- what was decided meanwhile ---

    def the_ladder_of_now_is_not_asked(self):
        self.always('dunning.dispatcher', '_explain_other_step', '')

    def nothing_is_asked_before_it_leaves(self):
        self.replace('dunning.dispatcher', '_recheck', lambda original: (
            lambda dispatcher, notices, *args, **words: notices))

    def the_ladder_of_a_debtor_is_ignored(self):
        self.always('dunning.planner', '_get_debtor_policy_sql', SQL("NULL::int"))

    def the_ladder_of_an_invoice_is_ignored(self):
        self.swap('dunning.planner', '_get_item_sql', "move.dunning_policy_id AS", "NULL::int AS")

    def archived_rungs_go_on(self):
        self.swap('dunning.level', '_get_next_level_sql', "level.active AND", "")
        self.always('dunning.dispatcher', '_explain_other_step', '')

    def no_follow_up_is_ignored(self):
        self.forget_reason('no_followup')

    # --- when it left ---

    def it_counts_when_it_is_queued(self):
        def make(original):
            def deliver(dispatcher, dispatch):
                original(dispatcher, dispatch)
                dispatch.notices._record_departure(dispatch.at_date)
            return deliver
        self.replace('dunning.dispatcher', '_deliver', make)

    def the_mail_queue_does_not_look_again(self):
        self.replace('mail.mail', '_hold_back_overtaken', lambda original: lambda mails: mails.browse())

    def a_term_that_ran_in_the_queue_is_given(self):
        self.always('dunning.notice', '_gives_less_by', False)

    def refused_counts_as_accepted(self):
        self.replace('mail.notification', '_get_dunning_outcome', lambda original: lambda row, mail, final: (
            'accepted' if original(row, mail, final) == 'refused' else original(row, mail, final)))

    def what_was_refused_blocks_nothing(self):
        self.replace('dunning.notice', '_mark_failed', lambda original: lambda notices, message: (
            notices._cancel(message)))

    def the_term_runs_from_the_queue(self):
        self.replace('dunning.notice', '_today_or_later', lambda original: lambda notice: notice.date)

    # --- when the invoice was sent ---

    def sent_late_changes_nothing(self):
        self.swap('account.move.line', '_get_dunning_due_date_sql', "GREATEST(0, ", "0 * GREATEST(0, ")

    def what_was_not_sent_is_reminded(self):
        self.forget_reason('not_sent')

    # --- in which order ---

    def two_messages_a_day(self):
        self.forget_reason('one_message')
        self.always('dunning.dispatcher', '_wait_for_turn', None)

    def the_term_of_the_last_notice_is_not_waited_for(self):
        self.swap('dunning.planner', '_get_laddered_sql', "GREATEST(last.deadline + next.delay_days, last.deadline + 1",
                  "GREATEST(last.deadline, last.deadline + 1")
