"""In whose name a notice is, and what of it a user sees who does not work for all companies it is about."""

from odoo import api, fields, models
from odoo.tools import format_amount


class DunningNoticeCreditor(models.AbstractModel):
    """The part of a notice about the creditor: one letter can ask what is owed to several of its branches.

    It is in the name of the branch to which all of it is owed, else of the creditor. Whoever works for one of the
    companies reads the notice with the items of that one; the letter and the decision are for who sees all of it.
    """

    _name = 'dunning.notice.creditor'
    _description = "Dunning Notice"

    hidden_text = fields.Char(
        string="Also Owed", compute='_compute_hidden_text',
        help="What the notice asks for companies of the same creditor that you do not work for.")

    @api.depends('line_ids.drop_reason')
    @api.depends_context('uid', 'allowed_company_ids', 'lang')
    def _compute_hidden_text(self):
        hidden = self._get_hidden_sums()
        for notice in self:
            notice.hidden_text = notice._origin.id in hidden and self.env._(
                "Also owed to the same creditor, at companies that you do not work for: %s.",
                format_amount(self.env, hidden[notice._origin.id], notice.currency_id))

    def _get_hidden_sums(self):
        """Return ``{notice id: sum}`` of what is asked for companies that the user does not work for."""
        if self.env.su or not self.env['res.company']._get_dunning_branches():
            return {}
        return {
            notice.id: residual - netted - held
            # sudo: a sum, of which the user reads a part
            for notice, residual, netted, held in self.env['dunning.notice.line'].sudo()._read_group(
                [('notice_id', 'in', self.ids), ('company_id', 'not in', self.env.companies.ids),
                 ('drop_reason', '=', False)],
                ['notice_id'], ['amount_residual:sum', 'amount_netted:sum', 'amount_held:sum'])}

    def _sees_whole(self):
        """Return whether the user works for all companies that a notice is about; see ``Whole``."""
        return not self._origin._get_hidden_sums()

    def _get_hidden(self):
        """Return those of the notices of which the user sees a part only."""
        return self.browse(self._get_hidden_sums())

    def _settle_company(self):
        """Let notices be in the name of the branch to which all of it is owed, else of the creditor."""
        for notice in self.sudo():  # sudo: of all companies, whoever changes the notice
            companies = notice.live_line_ids.company_id
            vals = {
                'company_id': companies._get_dunning_common(),
                'shared_company_ids': companies if len(companies) > 1 else companies.browse()}
            changed = {name: value.ids for name, value in vals.items() if value != notice[name]}
            if companies and changed:
                notice._recording().write({
                    name: [(6, 0, ids)] if name == 'shared_company_ids' else ids[0] for name, ids in changed.items()})

    def _mail_get_operation_for_mail_message_operation(self, message_operation):
        # EXTENDS 'mail': what was mailed says what is owed to all companies it is about.
        operations = super()._mail_get_operation_for_mail_message_operation(message_operation)
        shared = self.sudo().filtered('shared_company_ids')  # sudo: rules ask for it
        return operations | dict.fromkeys(self.browse(shared.ids), 'write')
