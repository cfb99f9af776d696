"""What a promise and an arrangement have in common: due items of one debtor that wait until a day, and a collector."""

from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..kernel.formats import letter_amount
from ..letter.dunning_debtor_mail import QR_NAME


class DunningAgreement(models.AbstractModel):
    """An agreement with a debtor on when some due items are paid; amounts are in the currency of those items.

    Whoever inherits it has ``user_id`` (the collector), ``state``, ``hold_ids``, ``move_ids`` and a chatter.
    """

    _name = 'dunning.agreement'
    _inherit = ['dunning.recorded', 'dunning.debtor.mail']
    _description = "Agreement on Paying"

    # ``kind`` of the reason of its holds; holds have a field of this name that points to it.
    _hold_kind = ''
    # States in which it was decided whether it was kept.
    _decided_states = ()

    company_id = fields.Many2one(comodel_name='res.company', required=True, index=True, readonly=True)
    partner_id = fields.Many2one(
        comodel_name='res.partner', string="Debtor", required=True, index=True, readonly=True, ondelete='restrict')
    currency_id = fields.Many2one(comodel_name='res.currency', required=True, readonly=True)
    call_id = fields.Many2one(
        comodel_name='dunning.call', readonly=True, index='btree_not_null', ondelete='set null')
    # What was matched or lay ready already when it was agreed: none of it counts as paid.
    known = fields.Json(readonly=True, copy=False)

    # -------------------------------------------------------------------------
    # WHAT IT IS ABOUT
    # -------------------------------------------------------------------------

    @api.model
    def _get_open_items(self, company, debtor):
        """Return what the debtor owes the creditor, as far as the user may see it, the oldest due date first."""
        Item = self.env['account.move.line']
        return Item.search(Item._get_dunning_open_domain(company, debtor), order='date_maturity, id')

    @api.model
    def _filter_collectable(self, company, items):
        """Return which of these due items can be asked now, or all when none can; see ``_get_collectable``."""
        amounts = self.env['dunning.planner']._get_collectable(company, company._dunning_today(), items)
        return items.filtered(lambda item: amounts[item] > 0) or items

    @api.model
    def _get_proposed_items(self, company, items):
        """Return with which of these open due items of a debtor an agreement begins: what is due and can be asked now.

        Else what is not due yet, and where nothing can be asked all of it: a person chose the debtor. In one currency.
        """
        today, items = company._dunning_today(), self._filter_collectable(company, items)
        items = items.filtered(lambda item: item._get_dunning_due_date() <= today) or items
        return items.filtered(lambda item: item.currency_id == items[:1].currency_id)

    @api.model
    def _find_open_items(self, company, debtor, items):
        """Return ``(items, all that the debtor owes)``, in one currency, or raise what is wrong with them.

        :param items: due items that were chosen; None or empty for all that can be paid now
        """
        owed = chosen = self._get_open_items(company, debtor)
        if items:
            items = items.with_env(self.env)
            items.check_access('read')
            strange = items - owed
            if strange:
                raise UserError(self.env._(
                    "%(item)s is not an open due item of %(debtor)s, so nothing can be agreed on about it. It may have "
                    "been paid meanwhile.",
                    item=strange[:1].move_id.display_name or strange[:1].display_name, debtor=debtor.display_name))
            chosen = owed.filtered(lambda item: item in items)
        else:
            chosen = self._filter_collectable(company, owed)
        if not chosen:
            raise UserError(self.env._(
                "%s owes nothing, so there is nothing to agree on.", debtor.display_name))
        if len(chosen.currency_id) > 1:
            raise UserError(self.env._(
                "These items are in several currencies (%s). Agree on those in each currency apart.",
                ", ".join(chosen.currency_id.mapped('name'))))
        return chosen, owed

    def _get_own_items(self):
        """Return the due items it is about that its debtor still owes: an invoice can be addressed to another one."""
        self.ensure_one()
        debtor = self.partner_id.commercial_partner_id
        return self.line_ids.move_line_id.filtered(lambda item: item.partner_id.commercial_partner_id == debtor)

    def action_open_invoices(self):
        """Show the invoices it is about."""
        self.ensure_one()
        self.check_access('read')
        return self.move_ids._get_records_action(name=self.env._("Invoices"))

    # -------------------------------------------------------------------------
    # HOLDS
    # -------------------------------------------------------------------------

    @api.model
    def _get_hold_reason(self):
        """Return the reason of its holds.

        :raise UserError: when there is none
        """
        kind = self._hold_kind
        # sudo: which reason stands for agreements of this kind is the same for every user
        Reason = self.env['dunning.hold.reason'].sudo()
        reason = self.env.ref(f'l10n_nl_dunning.hold_reason_{kind}', raise_if_not_found=False)
        if not reason or reason.sudo().kind != kind:  # sudo: as above
            reason = Reason.search([('kind', '=', kind)], limit=1)
        if not reason:
            raise UserError({
                'promise': self.env._(
                    "There is no reason to hold of the kind “Promise to pay”. Make one under Configuration, Reasons to "
                    "Hold."),
                'arrangement': self.env._(
                    "There is no reason to hold of the kind “Payment arrangement”. Make one under Configuration, "
                    "Reasons to Hold."),
            }[kind])
        return reason.sudo(False)

    def _prepare_holds(self, items, date_end):
        """Return the values of holds on due items until a day."""
        self.ensure_one()
        reason, owners = self._get_hold_reason(), {
            # Whoever answers for it works for the branch to which the item is owed.
            company: self.partner_id._get_dunning_collector(company, named=self.user_id) or self.env.user
            for company in items.company_id}
        return [
            {
                'move_line_id': item.id,
                'reason_id': reason.id,
                'user_id': owners[item.company_id].id,
                'date_end': date_end,
                f'{self._hold_kind}_id': self.id,
            }
            for item in items]

    def _create_holds(self, vals_list, keep_notices=None):
        """Make holds, and take back the notices that wait about their items."""
        if vals_list:
            self.env['dunning.hold']._recording().create(vals_list).with_env(self.env)._take_back_notices(
                keep=keep_notices)

    # -------------------------------------------------------------------------
    # WHOSE JOB IT IS
    # -------------------------------------------------------------------------

    def _get_responsible(self):
        self.ensure_one()
        return self._get_responsibles()[self]

    def _get_responsibles(self):
        """Return ``{agreement: who is to act}``: who made it as long as they work here, else the collector."""
        return self.env['res.company']._get_dunning_responsibles(self, lambda agreement: agreement.user_id)

    def _unlink_reminders(self):
        # sudo: activities of colleagues are to go as well
        self.sudo().activity_ids.filtered('automated').unlink()

    # -------------------------------------------------------------------------
    # HOW RELIABLE
    # -------------------------------------------------------------------------

    @api.depends('state')
    def _compute_kept_percent(self):
        for promise in self:
            promise.kept_percent = 100.0 if promise.state == 'kept' else 0.0

    @api.model
    def _get_kept_ratio(self, partners, company):
        """Return ``{contact id: (kept, decided)}`` of the agreements of their debtors with a creditor.

        Kept in part is not kept; what lapsed, was cancelled or replaced was not decided. Whoever never agreed on
        anything is not in it.
        """
        counts = defaultdict(lambda: (0, 0))
        for debtor, state, count in self._read_group([
            ('partner_id', 'in', partners.commercial_partner_id.ids),
            ('company_id', 'in', company._get_dunning_company_ids()),
            ('state', 'in', self._decided_states),
        ], ['partner_id', 'state'], ['__count']):
            kept, decided = counts[debtor]
            counts[debtor] = kept + (count if state == 'kept' else 0), decided + count
        return {
            partner.id: counts[partner.commercial_partner_id] for partner in partners
            if partner.commercial_partner_id in counts}

    # -------------------------------------------------------------------------
    # HOW TO PAY
    # -------------------------------------------------------------------------

    def _render_transfer(self, amount, by, links, reference):
        """Return how to pay an amount, as HTML for an e-mail, in the language of the debtor.

        :param float amount: in the currency of the agreement
        :param str by: the last day as it is printed, or empty
        :param links: dicts of ``name``, ``amount`` (as printed) and ``url``: where it is paid, or seen online
        :param str reference: what the debtor states

        The picture of the EPC QR code goes along with the e-mail; nothing is shown where a bank could not read it.
        """
        self.ensure_one()
        lang = self._get_lang()
        transfer = self._prepare_transfer(amount, reference)
        return self.env['ir.qweb'].with_context(lang=lang)._render('l10n_nl_dunning.promise_mail_payment', {
            'amount': letter_amount(self.env, amount, self.currency_id, lang),
            'date': by,
            **transfer,
            'links': links,
            'online': self.env['dunning.letter']._can_pay_online(self.company_id),
            'qr': f'cid:{QR_NAME}' if transfer['qr'] else '',
        }, minimal_qcontext=True)
