"""Recording a promise: from a call, by hand, or by another program (:meth:`DunningPromiseMaking.register_promise`)."""

from datetime import timedelta

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_amount

from ...tools.law.dutch_calendar import add_bank_days
from ..kernel.formats import format_day

# Days on which banks settle after the promised day: money that was sent on that day is still on its way.
GRACE_DAYS = 2


class DunningPromiseMaking(models.AbstractModel):
    _name = 'dunning.promise.making'
    _description = "Promise to Pay"

    # -------------------------------------------------------------------------
    # MAKING
    # -------------------------------------------------------------------------

    @api.model
    def _make(self, company, partner, date, amount=None, items=None, user=None, call=None, contact=None, *, note=None,
              confirm=None, keep_notices=None):
        """Record a promise made today: hold its items, and confirm it where that is wanted.

        :param company: one ``res.company``
        :param partner: the debtor, or one of his contacts
        :param date date: the day by which he will pay: today or later
        :param float amount: in the currency of the items; None for all that is open of them. Less than that covers
            the oldest items first; items it does not reach are not part of the promise and are not held
        :param items: open due items (``account.move.line``) of the debtor, in one currency; None or empty for all
        :param user: the collector; None for the current user
        :param call: the ``dunning.call`` in which it was promised, or None
        :param contact: the person who promised, or None
        :param note: facts about the payment, or None
        :param confirm: whether an e-mail goes to the debtor at once; None for the setting of the company
        :param keep_notices: notices not to judge again, such as the call that is going on
        :return: the ``dunning.promise``
        :raise UserError: when it cannot be; nothing is written then
        """
        self.check_access('create')
        company = company.with_env(self.env).ensure_one()
        company.check_access('read')
        today = company._dunning_today()
        debtor = partner.with_env(self.env).commercial_partner_id
        date = self._check_date(company, fields.Date.to_date(date), today)
        items = self._find_open_items(company, debtor, items)[0]
        shares = self._share_amount(items, amount)
        items = items.filtered(lambda item: item.id in shares)
        known = self.env['dunning.money']._get_known(company, debtor, items)
        user = user or self.env.user
        grace = self._get_grace_date(company, date)
        lines = self.env['dunning.promise.line'].search([
            ('move_line_id', 'in', items.ids), ('replaced_by_id', '=', False)])
        earlier = lines.promise_id.filtered(lambda promise: promise.state in ('running', 'partly', 'broken')).sorted(
            lambda promise: (promise.date_made, promise.id))
        with self.env.cr.savepoint():
            promise = self._recording().create({
                'company_id': company.id,
                'partner_id': debtor.id,
                'currency_id': items.currency_id.id,
                'user_id': user.id,
                'contact_id': contact.id if contact else False,
                'date_made': today,
                'date_promised': date,
                'grace_date': grace,
                'amount': sum(shares.values()),
                'previous_id': earlier[-1:].id,
                'turn': max(earlier.mapped('turn'), default=0) + 1,
                'call_id': call.id if call else False,
                'note': note,
                'known': known,
                'line_ids': [
                    Command.create({
                        'move_line_id': item.id, 'amount': shares[item.id],
                        'amount_open': item.amount_residual_currency})
                    for item in items],
            })
            promise._replace(lines.filtered(lambda line: line.promise_id.state == 'running'))
            promise._place_holds(keep_notices=keep_notices)
            if company.dunning_promise_confirm if confirm is None else confirm:
                promise._send_confirmation()
        return promise.with_env(self.env)

    def _replace(self, lines):
        """Take running promises about the same items over: the day was moved.

        The others of their items keep their promise. Whoever promises anew after the day has passed did not keep the
        first; that is decided by the ledger of now.
        """
        self.ensure_one()
        for promise in lines.promise_id:
            if promise.date_promised < self.date_made:
                promise._decide(self.date_made, early=True)
                if promise.state != 'running':
                    continue
            mine = lines.filtered(lambda line, promise=promise: line.promise_id == promise)._recording()
            mine.write({'replaced_by_id': self.id})
            promise.hold_ids.filtered(
                lambda hold, mine=mine: hold.move_line_id in mine.move_line_id)._close(
                    self.env._("A later promise took its place."))
            if not promise._get_live_lines():
                promise._lapse('replaced', self.date_made)
            else:
                promise._recording().write({
                    'amount': sum(promise._get_live_lines().mapped('amount'))})
                promise._message_log(body=self.env._("A later promise took the place of a part of it."))

    # -------------------------------------------------------------------------
    # WHAT CAN BE PROMISED
    # -------------------------------------------------------------------------

    @api.model
    def _get_grace_date(self, company, date):
        """Return the last day on which money counts for a promise for ``date``."""
        return add_bank_days(date, GRACE_DAYS)

    @api.model
    def _get_last_date(self, company, today):
        """Return the latest day that can be promised: with its grace it is not held longer than its reason allows."""
        last = limit = today + timedelta(days=self._get_hold_reason().sudo().max_days)  # sudo: a number of days
        while last > today and self._get_grace_date(company, last) > limit:
            last -= timedelta(days=1)
        return last

    @api.model
    def _check_date(self, company, date, today):
        if not date:
            raise UserError(self.env._("Enter the day by which the debtor will have paid."))
        if date < today:
            raise UserError(self.env._(
                "%s lies in the past. Enter the day by which the debtor will have paid: today or later.",
                format_day(self.env, date)))
        last = self._get_last_date(company, today)
        if date > last:
            raise UserError(self.env._(
                "A promise can be for %(last)s at the latest, and this one is for %(date)s. Agree on an earlier day; "
                "for longer there is the payment arrangement.",
                last=format_day(self.env, last), date=format_day(self.env, date)))
        return date

    @api.model
    def _share_amount(self, items, amount):
        """Return ``{item id: part of the amount}``, the oldest items first; items that get nothing are left out."""
        currency = items.currency_id
        owed = sum(items.mapped('amount_residual_currency'))
        amount = owed if amount is None else currency.round(amount)
        if currency.compare_amounts(amount, 0) <= 0:
            raise UserError(self.env._("Enter the promised amount: more than zero."))
        if currency.compare_amounts(amount, owed) > 0:
            raise UserError(self.env._(
                "%(amount)s was promised, but only %(owed)s of these items is open. Lower the amount or choose more "
                "items.",
                amount=format_amount(self.env, amount, currency), owed=format_amount(self.env, owed, currency)))
        shares = {}
        for item in items:
            share = min(amount, item.amount_residual_currency)
            if currency.compare_amounts(share, 0) > 0:
                shares[item.id] = currency.round(share)
            amount -= share
        return shares

    # -------------------------------------------------------------------------
    # BY ANOTHER PROGRAM
    # -------------------------------------------------------------------------

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
