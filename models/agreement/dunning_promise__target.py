"""What a debtor, an invoice, a due item and a call know about promises."""

from odoo import api, fields, models
from odoo.exceptions import UserError


class DunningPromise(models.Model):
    _inherit = 'dunning.promise'

    @api.model
    def register_promise(self, values=None):
        """Record a promise to pay, for programs such as a telephone system or a chat; people use the buttons.

        :param dict values:
            - ``partner_id`` (int, required): the debtor or one of his contacts
            - ``date`` (str ``YYYY-MM-DD``, required): the day by which he will have paid
            - ``amount`` (float, currency of the items): without it all that is open of the items
            - ``item_ids`` (list of int): due items (journal items); without it all that he owes
            - ``company_id`` (int): without it the current company
            - ``contact_id`` (int): who promised
            - ``note`` (str): facts about the payment
            - ``confirm`` (bool): e-mail the debtor; without it as the company's settings say
        :return: dict of ``promise_id``, ``state``, ``date``, ``grace_date`` (ISO strings), ``amount``, ``currency``,
            ``item_ids``, ``hold_ids`` and ``story`` (one sentence). A running promise of the same contents made on the
            same day is returned instead of made again
        :raise UserError: with what to do, when it cannot be recorded; nothing is written then
        :raise AccessError: for who may not record promises
        """
        self.check_access('create')
        if not isinstance(values, dict):
            raise UserError(self.env._("Give the promise as an object with its fields, such as “partner_id”."))
        known = {'partner_id', 'date', 'amount', 'item_ids', 'company_id', 'contact_id', 'note', 'confirm'}
        unknown = set(values) - known
        if unknown:
            raise UserError(self.env._(
                "A promise has no %(unknown)s. It has: %(known)s.", unknown=", ".join(sorted(map(str, unknown))),
                known=", ".join(sorted(known))))
        company = self._parse_record('res.company', values.get('company_id')) or self.env.company
        if company not in self.env.companies:
            raise UserError(self.env._("You do not work in %s.", company.sudo().display_name))  # sudo: only its name
        partner = self._parse_record('res.partner', values.get('partner_id'))
        if not partner:
            raise UserError(self.env._("Who promised? Give the debtor as “partner_id”."))
        try:
            date = fields.Date.to_date(values.get('date') or None)
        except (ValueError, TypeError):
            date = None
        if not date:
            raise UserError(self.env._(
                "“%s” is not a date. Give it as year, month and day, such as 2026-03-31.", values.get('date')))
        amount = values.get('amount')
        if amount is not None and (isinstance(amount, bool) or not isinstance(amount, int | float)):
            raise UserError(self.env._("“%s” is not an amount.", amount))
        ids = values.get('item_ids') or []
        if not isinstance(ids, list) or not all(type(item_id) is int for item_id in ids):
            raise UserError(self.env._("Give the due items as a list of IDs."))
        items = self.env['account.move.line'].browse(ids).exists()
        if len(items) != len(set(ids)):
            raise UserError(self.env._("Some of these due items do not exist."))
        contact = self._parse_record('res.partner', values.get('contact_id'))
        if contact and contact.commercial_partner_id != partner.commercial_partner_id:
            raise UserError(self.env._(
                "%(contact)s is not a contact of %(debtor)s.", contact=contact.display_name,
                debtor=partner.commercial_partner_id.display_name))
        promise = self.with_company(company)._find_same(company, partner, date, amount, items) or self.with_company(
            company)._make(
                company, partner, date, amount, items, contact=contact or None, note=values.get('note') or None,
                confirm=values.get('confirm'))
        return {
            'promise_id': promise.id,
            'state': promise.state,
            'date': fields.Date.to_string(promise.date_promised),
            'grace_date': fields.Date.to_string(promise.grace_date),
            'amount': promise.amount,
            'currency': promise.currency_id.name,
            'item_ids': promise.item_ids.ids,
            'hold_ids': promise.hold_ids.ids,
            'story': promise.story,
        }

    @api.model
    def _parse_record(self, model, record_id):
        """Return the record with this ID that the user may read, or an empty one for no ID."""
        if not record_id:
            return self.env[model]
        record = self.env[model].browse(record_id).exists() if type(record_id) is int else self.env[model]
        if not record:
            raise UserError(self.env._("There is no %(what)s with ID “%(id)s”.", what=self.env[model]._description,
                                       id=record_id))
        record.check_access('read')
        return record

    @api.model
    def _find_same(self, company, partner, date, amount, items):
        """Return a promise like this that was made today and runs: a program may say it twice."""
        same = self.search([
            ('company_id', '=', company.id), ('partner_id', '=', partner.commercial_partner_id.id),
            ('date_promised', '=', date), ('date_made', '=', company._dunning_today()), ('state', '=', 'running')])
        return same.filtered(lambda promise: (
            (amount is None or not promise.currency_id.compare_amounts(amount, promise.amount))
            and (not items or promise.item_ids <= items)))[:1]
