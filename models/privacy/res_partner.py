"""What is known of a debtor, for other systems (a statement) and for himself (an export on request)."""

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

# How far back calls and notices are told, in months.
MONTHS = 12
CSV_COLUMNS = ('kind', 'date', 'reference', 'person', 'text', 'amount', 'currency', 'state')


class ResPartner(models.Model):
    _inherit = 'res.partner'

    def get_dunning_statement(self, company_id=None):
        """Return how a debtor stands today, as plain data that every programming language reads.

        :param int company_id: without it the current company
        :return: dict; dates are ISO strings (``YYYY-MM-DD``) or False, amounts floats in the currency named beside
            them, lists the oldest first:

            - ``date``, ``company_id``, ``company``, ``debtor_id``, ``debtor``, ``policy``, ``level_id``, ``level``
            - ``amounts``: per currency ``currency``, ``open`` (all that is open), ``overdue`` (whose due date has
              passed), ``credit`` (open credits that cover it), ``on_hold`` and ``collectable`` (overdue less both)
            - ``items``: each open due item: ``item_id``, ``invoice_id``, ``invoice``, ``due_date``, ``days_overdue``,
              ``currency``, ``amount_open``, ``amount_on_hold``, ``level``, ``next_level``, ``is_due``, ``reason``
              (code, ``due`` when it would go out today), ``text`` (the sentence) and ``changes_on``
            - ``holds``: those that hold today: ``hold_id``, ``kind``, ``reason``, ``about``, ``amount`` (False: all of
              it), ``currency``, ``until`` (False: until somebody decides), ``owner``
            - ``promises``: of the last twelve months: ``promise_id``, ``date_made``, ``date``, ``grace_date``,
              ``amount``, ``paid``, ``currency``, ``state``, ``story``, ``item_ids``
            - ``promises_kept`` and ``promises_decided``: of all times
            - ``calls``: of the last twelve months: ``count``, ``reached``, ``last_date``, ``last_outcome``, and
              ``outcomes``, a dict of the number by kind of outcome
            - ``notices``: what was sent in the last twelve months: ``notice_id``, ``number``, ``date``, ``level``,
              ``channel``, ``amount``, ``currency``, ``deadline``
            - ``arrangements``: all but drafts: ``arrangement_id``, ``name``, ``state``, ``offered_on``, ``signed_on``,
              ``closed_on``, ``close_code``, ``amount``, ``paid``, ``left``, ``currency``, ``story``, ``item_ids`` and
              ``instalments`` with ``date``, ``amount``, ``paid``, ``kind``, ``state``
            - ``arrangements_kept`` and ``arrangements_decided``: of all times
        :raise AccessError: for who may not read the contact, or is not in accounting
        :raise UserError: for another company than the user works in
        """
        self.ensure_one()
        self.check_access('read')
        self.env['dunning.planner']._check_may_ask()
        company = self._get_dunning_company(company_id)
        return self.commercial_partner_id.with_company(company)._prepare_dunning_statement(company)

    def _get_dunning_company(self, company_id):
        if not company_id:
            return self.env.company
        company = self.env.companies.filtered(lambda company: company.id == company_id)
        if not company:
            raise UserError(self.env._("You do not work in a company with ID “%s”.", company_id))
        return company

    def _prepare_dunning_statement(self, company):
        today = company._dunning_today()
        answers = self.env['dunning.planner']._answer(company, today, partners=self)
        items = [self._prepare_dunning_statement_item(answer, today) for answer in answers if answer['amount_open'] > 0]
        since = today - relativedelta(months=MONTHS)
        level = self.dunning_level_id
        kept, decided = self.env['dunning.promise']._get_kept_ratio(self, company).get(self.id, (0, 0))
        arrangements_kept, arrangements_decided = self.env['dunning.arrangement']._get_kept_ratio(
            self, company).get(self.id, (0, 0))
        return {
            'date': fields.Date.to_string(today),
            'company_id': company.id,
            'company': company.name,
            'debtor_id': self.id,
            'debtor': self.display_name or '',
            'policy': self.dunning_effective_policy_id.sudo().name or '',  # sudo: only its name
            'level_id': level.id,
            'level': level.name or '',
            'amounts': self._prepare_dunning_statement_amounts(company, answers, today),
            'items': items,
            'holds': self._prepare_dunning_statement_holds(company, today),
            'promises': self._prepare_dunning_statement_promises(company, since),
            'promises_kept': kept,
            'promises_decided': decided,
            'calls': self._prepare_dunning_statement_calls(company, since),
            'notices': self._prepare_dunning_statement_notices(company, since),
            'arrangements': self._prepare_dunning_statement_arrangements(company),
            'arrangements_kept': arrangements_kept,
            'arrangements_decided': arrangements_decided,
        }

    @api.model
    def _prepare_dunning_statement_item(self, answer, today):
        due = fields.Date.to_date(answer['due_date'])
        return {
            **{name: answer[name] for name in (
                'item_id', 'invoice_id', 'invoice', 'due_date', 'currency', 'amount_open', 'next_level', 'is_due',
                'reason', 'text', 'changes_on')},
            'days_overdue': max(0, (today - due).days) if due else 0,
            'amount_on_hold': answer['amount_on_hold'],
            'level': answer['last_level'],
        }

    @api.model
    def _prepare_dunning_statement_amounts(self, company, answers, today):
        """Add up the items; credits cover the oldest first and are told by the planner, for the whole debtor."""
        sums = {}
        for answer in answers:
            if answer['amount_open'] <= 0:
                continue
            total = sums.setdefault(answer['currency'], dict.fromkeys(
                ('open', 'overdue', 'credit', 'on_hold', 'collectable'), 0.0))
            overdue = answer['due_date'] and answer['due_date'] < fields.Date.to_string(today)
            total['open'] += answer['amount_open']
            total['credit'] += answer['amount_netted']
            total['on_hold'] += answer['amount_on_hold']
            if overdue:
                total['overdue'] += answer['amount_open']
                total['collectable'] += max(
                    0.0, answer['amount_open'] - answer['amount_netted'] - answer['amount_on_hold'])
        currencies = {currency.name: currency for currency in self.env['res.currency'].with_context(
            active_test=False).search([('name', 'in', list(sums))])}
        return [
            {'currency': name, **{key: currencies[name].round(value) for key, value in total.items()}}
            for name, total in sorted(sums.items(), key=lambda pair: (pair[0] != company.currency_id.name, pair[0]))]

    def _prepare_dunning_statement_holds(self, company, today):
        Hold = self.env['dunning.hold']
        holds = Hold.search(Hold._get_active_domain(today) & Domain(
            [('company_id', '=', company.id), ('partner_id', '=', self.id)]), order='opened_on, id')
        return [
            {
                'hold_id': hold.id,
                'kind': hold.kind,
                'reason': hold.reason_id.name,
                'about': hold.move_id.name or '' if hold.scope != 'debtor' else hold._get_what(self.env),
                'amount': hold.amount if hold.is_part else False,
                'currency': hold.currency_id.name,
                'until': False if hold.needs_decision else fields.Date.to_string(hold.date_end),
                'owner': hold.user_id.name,
            }
            for hold in holds]

    def _prepare_dunning_statement_promises(self, company, since):
        promises = self.env['dunning.promise'].search([
            ('company_id', '=', company.id), ('partner_id', '=', self.id),
            '|', ('date_made', '>=', since), ('state', '=', 'running')], order='date_made, id')
        return [
            {
                'promise_id': promise.id,
                'date_made': fields.Date.to_string(promise.date_made),
                'date': fields.Date.to_string(promise.date_promised),
                'grace_date': fields.Date.to_string(promise.grace_date),
                'amount': promise.amount,
                'paid': promise.amount_paid,
                'currency': promise.currency_id.name,
                'state': promise.state,
                'story': promise.story,
                'item_ids': promise.item_ids.ids,
            }
            for promise in promises]

    def _prepare_dunning_statement_calls(self, company, since):
        domain = [('company_id', '=', company.id), ('partner_id', '=', self.id), ('date', '>=', since)]
        Call = self.env['dunning.call']
        groups = Call._read_group(domain, ['kind', 'reached'], ['__count'])
        outcomes = {}
        for kind, _reached, count in groups:
            outcomes[kind] = outcomes.get(kind, 0) + count
        last = Call.search(domain, order='date_start desc, id desc', limit=1)
        return {
            'count': sum(outcomes.values()),
            'reached': sum(count for _kind, reached, count in groups if reached),
            'last_date': fields.Date.to_string(last.date) or False,
            'last_outcome': last.outcome_id.name or '',
            'outcomes': outcomes,
        }

    def _prepare_dunning_statement_notices(self, company, since):
        channels = dict(self.env['dunning.level']._fields['channel']._description_selection(self.env))
        notices = self.env['dunning.notice'].search([
            ('company_id', '=', company.id), ('partner_id', '=', self.id), ('state', '=', 'sent'),
            ('date', '>=', since)], order='date, id')
        return [
            {
                'notice_id': notice.id,
                'number': notice.name or '',
                'date': fields.Date.to_string(notice.date),
                'level': notice.level_id.name or '',
                'channel': channels.get(notice.channel, ''),
                'amount': notice.amount_due,
                'currency': notice.currency_id.name,
                'deadline': fields.Date.to_string(notice.deadline) or False,
            }
            for notice in notices]

    def _prepare_dunning_statement_arrangements(self, company):
        arrangements = self.env['dunning.arrangement'].search([
            ('company_id', '=', company.id), ('partner_id', '=', self.id), ('state', '!=', 'draft')], order='id')
        to_date = fields.Date.to_string
        return [
            {
                'arrangement_id': arrangement.id,
                'name': arrangement.name or '',
                'state': arrangement.state,
                'offered_on': to_date(arrangement.offered_on) or False,
                'signed_on': to_date(arrangement.signed_on) or False,
                'closed_on': to_date(arrangement.closed_on) or False,
                'close_code': arrangement.close_code or False,
                'amount': arrangement.amount_total,
                'paid': arrangement.amount_paid,
                'left': arrangement.amount_left,
                'currency': arrangement.currency_id.name,
                'story': arrangement.story or '',
                'item_ids': arrangement.line_ids.move_line_id.ids,
                'instalments': [
                    {
                        'date': to_date(instalment.date_due), 'amount': instalment.amount,
                        'paid': instalment.amount_paid, 'kind': instalment.kind, 'state': instalment.state,
                    }
                    for instalment in arrangement.instalment_ids],
            }
            for arrangement in arrangements]

    # -------------------------------------------------------------------------
    # A DEBTOR ASKS WHAT IS KEPT ABOUT HIM
    # -------------------------------------------------------------------------

    def get_dunning_personal_data(self, company_id=None):
        """Return all that was noted about a debtor: calls, promises, holds and notices of all times.

        For a request of access (article 15 of the General Data Protection Regulation). Look before it is handed out:
        notes can name others.

        :param int company_id: without it the current company
        :return: list of dicts with ``kind``, ``date`` (ISO string), ``reference``, ``person``, ``text``, ``amount``,
            ``currency`` and ``state``, the oldest first; what does not apply is empty
        :raise AccessError: for who may not read the contact, or is not in accounting
        """
        self.ensure_one()
        self.check_access('read')
        self.env['dunning.planner']._check_may_ask()
        company = self._get_dunning_company(company_id)
        rows = self.commercial_partner_id.with_company(company)._prepare_dunning_personal_data(company)
        rows.sort(key=lambda row: (row[1], row[0], row[2]))
        return [dict(zip(CSV_COLUMNS, row, strict=True)) for row in rows]

    def _prepare_dunning_personal_data(self, company):
        """Return the rows of the export; a bridge adds its own."""
        about = [('company_id', '=', company.id), ('partner_id', '=', self.id)]
        to_date, env = fields.Date.to_string, self.env

        def label(record, name):
            return dict(record._fields[name]._description_selection(env)).get(record[name], '')

        rows = [
            (env._("Call"), to_date(call.date), call.number or '', call.contact_name or call.contact_id.name or '',
             '. '.join(filter(None, [call.summary, call.note])), '', '', call.outcome_id.name)
            for call in env['dunning.call'].search(about)]
        rows += [
            (env._("Promise"), to_date(promise.date_made), ', '.join(filter(None, promise.move_ids.mapped('name'))),
             promise.contact_id.name or '', ' '.join(filter(None, [promise.story, promise.note])), promise.amount,
             promise.currency_id.name, label(promise, 'state'))
            for promise in env['dunning.promise'].search(about)]
        rows += [
            (env._("Hold"), to_date(hold.opened_on), hold.move_id.name or '', '',
             '. '.join(filter(None, [hold.reason_id.name, hold.note, hold.dispute_outcome, hold.close_reason])),
             hold.amount or '', hold.currency_id.name if hold.amount else '', label(hold, 'state'))
            for hold in env['dunning.hold'].search(about)]
        rows += [
            (env._("Notice"), to_date(notice.date or notice.date_planned) or '', notice.name or '',
             notice.recipient_id.name or '',
             ' '.join(filter(None, [notice.level_id.name, notice.email_to, notice.note])),
             notice.amount_due, notice.currency_id.name, label(notice, 'state'))
            for notice in env['dunning.notice'].search(about)]
        rows += [
            (env._("Arrangement"), to_date(arrangement._get_last_day()), arrangement.name or '',
             # Who signed, and from where.
             arrangement.signed_name or arrangement.contact_id.name or '',
             ' '.join(filter(None, [
                 arrangement.story, arrangement.note or '', arrangement.close_reason,
                 arrangement.signed_on and env._(
                     "Signed on %(moment)s (UTC) from %(address)s.",
                     moment=fields.Datetime.to_string(arrangement.signed_on), address=arrangement.signed_ip or "–"),
             ])),
             arrangement.amount_total, arrangement.currency_id.name, label(arrangement, 'state'))
            for arrangement in env['dunning.arrangement'].search(about)]
        rows += [
            (env._("Sent from the debtor's page"), to_date(request.date), request.move_id.name or '', '',
             request.text or '', '', '', label(request, 'kind'))
            for request in env['dunning.page.request'].search(about)]
        return rows

    def action_dunning_personal_data(self):
        """Open the wizard that exports what is kept about this debtor."""
        self.ensure_one()
        self.env['dunning.planner']._check_may_ask()
        wizard = self.env['dunning.personal.data'].create({'partner_id': self.commercial_partner_id.id})
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._("Export what is kept"),
            'res_model': wizard._name,
            'res_id': wizard.id,
            'view_mode': 'form',
            'target': 'new',
            'context': {'dialog_size': 'medium'},
        }
