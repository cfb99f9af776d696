from datetime import timedelta

from odoo import api, fields, models

from ..kernel.groups import ACCOUNTING

ACTIVITY = 'l10n_nl_dunning.mail_activity_type_unreachable'


class ResPartner(models.Model):
    _inherit = 'res.partner'

    dunning_unreachable_on = fields.Date(
        string="Cannot Be Reached Since", company_dependent=True, readonly=True, copy=False,
        groups=ACCOUNTING,
        prefetch='dunning',
        help="A reminder is due, and no channel reaches this debtor. Cleared when the contact is completed.")

    def _pause_for_reply(self, company, record, msg_dict):
        """Put everything of this debtor on hold because he answered, and ask somebody to read it.

        :param company: the company he answered
        :param record: what he answered to: a notice or an invoice
        :param dict msg_dict: the e-mail, as the mail gateway read it
        :return: the new ``dunning.hold``, empty when nothing has to wait
        """
        self.ensure_one()
        Hold = self.env['dunning.hold'].with_company(company)
        reason = self.env.ref('l10n_nl_dunning.hold_reason_reply', raise_if_not_found=False)
        author = self.env['res.partner'].browse(msg_dict.get('author_id') or []).exists()
        if (
            not reason or not reason.active
            or self.env.context.get('dunning_automatic_reply')
            or any(not user.share for user in author.user_ids)  # a colleague wrote
        ):
            return Hold
        today = company._dunning_today()
        if Hold.search([
            ('company_id', 'in', company._get_dunning_company_ids()), ('partner_id', '=', self.id),
            ('reason_id', '=', reason.id), ('closed_on', '=', False), ('date_end', '>=', today),
        ], limit=1):
            return Hold  # it is waiting to be read already
        # An invoice of an account that is not reminded of holds up nothing.
        Item = self.env['account.move.line']
        if not Item.search_count(Item._get_dunning_open_domain(company, self), limit=1):
            return Hold
        owner = self._get_dunning_collector(company, today) or self.env.user
        env = self.with_context(lang=owner.lang).env
        sender = author.name or msg_dict.get('email_from') or self.name
        hold = Hold.create({
            'company_id': company.id,
            'partner_id': self.id,
            'reason_id': reason.id,
            'user_id': owner.id,
            'date_end': today + timedelta(days=reason.default_days),
            'note': env._("%(sender)s answered %(what)s.", sender=sender, what=record.display_name),
        })
        hold._take_back_notices()
        record.activity_schedule(
            'mail.mail_activity_data_todo', date_deadline=today, user_id=owner.id,
            summary=env._("Read the answer of %s", self.name),
            note=env._(
                "Reminders to this debtor wait until %(date)s. Read what was written; place the hold that belongs to "
                "it, such as a dispute or a promise, and close the hold “%(reason)s”.",
                date=fields.Date.to_string(hold.date_end), reason=reason.with_env(env).name))
        return hold

    # -------------------------------------------------------------------------
    # NOTHING REACHES HIM
    # -------------------------------------------------------------------------

    @api.model
    def _flag_unreachable(self, company, explain):
        """Mark debtors that nothing reaches and give somebody a to-do, once for each.

        :param company: for whom they are marked
        :param dict explain: ``{debtor id: function of an environment}`` giving what is missing, in its language
        """
        today = company.with_env(self.env)._dunning_today()
        # sudo: who may not change contacts may be the one whose reminder fails
        debtors = self.sudo().with_company(company).browse(explain).filtered(
            lambda debtor: not debtor.dunning_unreachable_on)
        if not debtors:
            return
        debtors.write({'dunning_unreachable_on': today})
        collectors = debtors.sudo(False)._get_dunning_collectors(company, today)
        for user, batch in debtors.grouped(lambda debtor: collectors[debtor.id]).items():
            if not user:
                continue  # the mark on the contact and the list of debtors say it
            local = batch.with_context(lang=user.lang, mail_activity_quick_update=True)
            for text, alike in local.grouped(lambda debtor, env=local.env: explain[debtor.id](env)).items():
                alike.activity_schedule(
                    ACTIVITY, date_deadline=today, user_id=user.id, automated=True,
                    summary=local.env._("No reminder can reach this debtor"), note=text)

    def _unflag_unreachable(self, company):
        """Take the mark and the to-do off debtors that can be reached again."""
        # sudo: as where they were given
        debtors = self.sudo().with_company(company)
        debtors.write({'dunning_unreachable_on': False})
        debtors.activity_ids.filtered(
            lambda activity: activity.automated and activity.activity_type_id == self.env.ref(ACTIVITY)).unlink()

    # -------------------------------------------------------------------------
    # ACTIONS
    # -------------------------------------------------------------------------

    def action_dunning_send(self):
        """Open the send wizard for all overdue items of these debtors."""
        return self.env['dunning.send']._action_open(partners=self.commercial_partner_id)

    def action_dunning_email_works(self):
        """Try the address again that a reminder came back from."""
        self.env['dunning.notice'].check_access('write')  # for accounting, not for all who may change contacts
        self.check_access('write')
        emails = [email for email in self.mapped('email_normalized') if email]
        # sudo: other contacts with the same address; whoever may change this one may correct them
        same = self.sudo().search([('email_normalized', 'in', emails)]) | self
        same.write({'dunning_email_bounced_on': False})
        return True

    def action_dunning_post_works(self):
        """Use the postal address again that a letter came back from."""
        self.env['dunning.notice'].check_access('write')  # for accounting, not for all who may change contacts
        self.check_access('write')
        self.write({'dunning_post_returned_on': False})
        return True
